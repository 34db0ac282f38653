"""POST /v1/treatment-options: what the three overview texts say about the choice of treatment, judged for a patient.

The tables below were written from the texts, not from the pathway file. Their words are shortened in the column *why*.
"""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient

OPTIONS = "/v1/treatment-options"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"

#: An adult of whom everything that is asked about here is known, and nothing is wrong.
HEALTHY: dict[str, Any] = {
    "age": {"value": 50, "unit": "a"},
    "sex": "female",
    "weight": {"value": 70, "unit": "kg"},
    "height": {"value": 170, "unit": "cm"},
    "pregnant": False,
    "lactating": False,
    "conditions": [],
    "allergies": [],
    "medications": [],
    "observations": [],
}
ACTIVE = {"disease": "dermatomyositis", "activity": "active"}
ACTIVE_JUVENILE = {"disease": "juvenile-dermatomyositis", "activity": "active"}
LOCALISED = {"extent": "localized"}
REFRACTORY = {"refractory": True}
SMALL = {"lesion_size": "small"}
LARGE = {"lesion_size": "large"}

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(client: FlaskClient) -> Ask:
    """Ask for the options of a presentation; the patient is the healthy adult unless said otherwise."""

    def post(presentation: dict[str, Any], **changes: Any) -> dict[str, Any]:
        body = {"patient": HEALTHY | changes, "presentation": presentation, "as_of": "2026-11-21"}
        response = client.post(OPTIONS, json=body)
        assert (response.status_code, response.mimetype) == (200, "application/json"), response.get_data(as_text=True)
        answer: dict[str, Any] = response.get_json()
        return answer

    return post


def agents(answer: dict[str, Any]) -> list[str]:
    """Return the ids of the options in their order."""
    return [option["agent"] for option in answer["options"]]


def option(answer: dict[str, Any], agent: str) -> dict[str, Any]:
    """Return one option, recommended or not."""
    (found,) = [item for item in (*answer["options"], *answer["not_recommended"]) if item["agent"] == agent]
    return dict(found)


# ---------------------------------------------------------------- what the texts say comes first

STEROIDS = ["methylprednisolone", "prednisone"]
IMMUNOSUPPRESSION = [*STEROIDS, "methotrexate", "mycophenolate"]

# Presentation, agents that come first, agents that come later, and the sentence of the text.
ORDER: list[tuple[dict[str, Any], list[str], list[str], str]] = [
    (ACTIVE, IMMUNOSUPPRESSION, ["diltiazem"], "intensify immunosuppression first, then add diltiazem"),
    (ACTIVE, ["diltiazem"], ["ivig"], "consider IVIG for resistant disease"),
    (ACTIVE_JUVENILE, IMMUNOSUPPRESSION, ["diltiazem"], "the same in juvenile dermatomyositis"),
    (ACTIVE_JUVENILE, ["diltiazem"], ["ivig"], "the same in juvenile dermatomyositis"),
    (ACTIVE_JUVENILE, ["diltiazem"], ["tofacitinib"], "JAK inhibitors: more research is needed"),
    (LOCALISED, ["surgical-excision"], ["diltiazem"], "excision is preferred, diltiazem an adjunct"),
    (LOCALISED | {"painful": True}, ["surgical-excision"], ["diltiazem"], "localised and symptomatic"),
    (
        REFRACTORY,
        ["sodium-thiosulfate", "abatacept"],
        ["rituximab"],
        "thiosulfate with or without abatacept comes first",
    ),
    (REFRACTORY, ["rituximab"], ["infliximab", "adalimumab"], "then rituximab, then anti-TNF"),
    (REFRACTORY, ["infliximab", "adalimumab"], ["etanercept"], "infliximab or adalimumab preferred over etanercept"),
    (
        REFRACTORY,
        ["sodium-thiosulfate", "abatacept", "rituximab", "infliximab", "adalimumab", "etanercept"],
        ["surgical-excision", "diltiazem"],
        "what the text names for refractory disease stands before what it names for everybody",
    ),
    (SMALL, ["surgical-excision"], ["warfarin"], "small lesions are good candidates for surgery"),
    (LARGE, ["diltiazem"], ["probenecid", "aluminium-hydroxide"], "diltiazem is the most used drug"),
    (ACTIVE | LARGE, IMMUNOSUPPRESSION, ["diltiazem", "surgical-excision"], "active disease comes before the lesion"),
    (ACTIVE | LOCALISED, IMMUNOSUPPRESSION, ["surgical-excision"], "active disease comes before the lesion"),
]


@pytest.mark.parametrize(("presentation", "first", "later", "why"), ORDER, ids=lambda value: str(value)[:40])
def test_order_is_that_of_the_texts(
    ask: Ask, presentation: dict[str, Any], first: list[str], later: list[str], why: str
) -> None:
    """Each agent that the text names earlier stands before each that it names later."""
    place = {agent: index for index, agent in enumerate(agents(ask(presentation)))}

    late = [(early, after) for early in first for after in later if place[early] > place[after]]
    assert late == [], why


# Presentation, every agent that the text names for it, and where.
NAMED: list[tuple[dict[str, Any], set[str], str]] = [
    (ACTIVE, {*IMMUNOSUPPRESSION, "diltiazem", "ivig"}, "algorithm: active dermatomyositis"),
    (
        ACTIVE,
        {"diltiazem", "alendronate", "pamidronate", "methotrexate", "mycophenolate", "rituximab"},
        "dermatomyositis: calcium channel blockers, bisphosphonates, immunosuppressants",
    ),
    (
        ACTIVE_JUVENILE,
        {"probenecid", "ivig", "mycophenolate", "tofacitinib", "baricitinib", "ruxolitinib"},
        "juvenile dermatomyositis: response to probenecid; JAK inhibitors promising",
    ),
    (
        LOCALISED,
        {"surgical-excision", "co2-laser", "shock-wave-lithotripsy", "sodium-thiosulfate"},
        "localised lesions",
    ),
    (
        REFRACTORY,
        {"sodium-thiosulfate", "abatacept", "rituximab", "infliximab", "adalimumab", "etanercept"},
        "algorithm: severe, refractory calcinosis",
    ),
    (SMALL, {"warfarin", "ceftriaxone", "ivig", "surgical-excision", "co2-laser"}, "smaller lesions respond to"),
    (
        LARGE,
        {
            *("diltiazem", "etidronate", "alendronate", "pamidronate", "probenecid", "aluminium-hydroxide"),
            *("surgical-excision", "curettage"),
        },
        "larger lesions respond to",
    ),
    (
        {"ulcerated": True},
        {"sodium-thiosulfate", "minocycline", "negative-pressure-wound-therapy", "abatacept"},
        "topical thiosulfate, minocycline, vacuum dressing, thiosulfate with abatacept in ulcerative disease",
    ),
    ({"inflamed": True}, {"minocycline", "colchicine", "triamcinolone"}, "surrounding inflammation; anti-inflammatory"),
    ({"painful": True}, {"surgical-excision", "diltiazem"}, "symptomatic calcinosis"),
    ({"extent": "generalized"}, {"diltiazem"}, "generalised disease requires medical management"),
    (
        {"disease": "systemic-sclerosis"},
        {"minocycline", "pamidronate", "triamcinolone"},
        "effective in systemic sclerosis",
    ),
    ({"disease": "crest"}, {"ivig"}, "digital calcification in CREST"),
    ({"disease": "systemic-lupus-erythematosus"}, {"aluminium-hydroxide"}, "aluminium hydroxide in lupus"),
    ({"disease": "lupus-panniculitis"}, {"sodium-thiosulfate"}, "injections in lupus panniculitis"),
    ({"disease": "morphea-profunda"}, {"ceftriaxone"}, "best used in morphea profunda"),
]


@pytest.mark.parametrize(("presentation", "expected", "why"), NAMED, ids=[why for _, _, why in NAMED])
def test_what_the_texts_name_is_there(ask: Ask, presentation: dict[str, Any], expected: set[str], why: str) -> None:
    """Nothing that a text names for a presentation is left out, whatever the evidence for it."""
    assert expected - set(agents(ask(presentation))) == set(), why


def test_inflamed_lesions_lead_to_minocycline(ask: Ask) -> None:
    """Minocycline is "particularly for lesions associated with surrounding inflammation"."""
    assert agents(ask({"inflamed": True}))[0] == "minocycline"


def test_ulcerated_lesions_lead_to_thiosulfate_on_the_skin(ask: Ask) -> None:
    """Topical thiosulfate worked in ulcerated calcification; its strength is shown, as it has no amount."""
    first = ask({"ulcerated": True})["options"][0]

    assert (first["agent"], first["regimen"], first["dose"]) == ("sodium-thiosulfate", "topical-25-percent", "25 %")


def test_line_never_falls_within_what_is_equally_specific(ask: Ask) -> None:
    """Among options of equally specific presentations the lines of therapy count up."""
    answer = ask(REFRACTORY)
    lines = [item["line"] for item in answer["options"] if item["reasons"][0]["scenario"] == "severe-refractory"]

    assert len(lines) == 6
    assert all(early <= late for early, late in pairwise(lines))


# ---------------------------------------------------------------- evidence, expectations, contradictions


def test_warfarin_is_shown_with_the_evidence_against_it(ask: Ask) -> None:
    """The text's 1 mg a day stands beside the review that says it should not be used, and warfarin comes last."""
    answer = ask(SMALL)
    warfarin = option(answer, "warfarin")
    (reason,) = [item for item in warfarin["reasons"] if item["scenario"] == "small-lesions"]

    assert (warfarin["dose"], warfarin["verdict"]) == ("1 mg daily", "advised-against")
    assert "should not be used" in reason["against"]
    assert "traineau-2020" in reason["against_references"]
    assert warfarin["findings"][0]["severity"] == "major"
    small = [item["agent"] for item in answer["options"] if item["reasons"][0]["scenario"] == "small-lesions"]
    assert small[-1] == "warfarin"


@pytest.mark.parametrize(
    ("agent", "presentation"),
    [("etanercept", REFRACTORY), ("rituximab", REFRACTORY), ("probenecid", LARGE), ("diltiazem", LARGE)],
)
def test_disputed_option_says_what_speaks_against_it(ask: Ask, agent: str, presentation: dict[str, Any]) -> None:
    """Where a source disagrees, the option carries the objection and its citation."""
    reason = option(ask(presentation), agent)["reasons"][0]

    assert reason["against"]
    assert reason["against_references"]


@pytest.mark.parametrize("word", ["injury", "smoking", "stress", "cold"])
def test_supportive_measures_are_always_said(ask: Ask, word: str) -> None:
    """Avoid trauma, stop smoking, reduce stress, avoid the cold: said whatever the presentation."""
    for presentation in (SMALL, ACTIVE):
        texts = [item["text"].lower() for item in ask(presentation)["supportive_measures"]]
        assert any(word in text for text in texts)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("none clears",), "no treatment shows consistent, complete resolution"),
        (("diltiazem", "partial"), "expect a partial response"),
        (("by themselves",), "calcinosis may regress spontaneously"),
        (("infection", "joint"), "contractures and infections are potential complications"),
        (("elbows",), "trauma-prone areas"),
        (("case reports",), "most evidence consists of case reports and small series"),
        (("26 weeks",), "rituximab takes up to 26 weeks"),
    ],
)
def test_expectations_are_realistic(ask: Ask, words: tuple[str, ...], why: str) -> None:
    """What a patient may hope for stands with every answer."""
    texts = [item["text"] for item in ask(LARGE)["expectations"]]

    assert any(all(word in text for word in words) for text in texts), why


# Topic, what one text says, what the other says: read in the texts.
CONTRADICTIONS = [
    ("first-step-in-dermatomyositis", "immunosuppression first", "calcium channel blockers and bisphosphonates first"),
    ("bisphosphonates", "good response", "minimal or no improvement"),
    ("warfarin", "some improvement", "minimal or no improvement"),
    ("probenecid", "juvenile dermatomyositis", "minimal or no improvement"),
    ("minocycline", "effective in systemic sclerosis", "case reports only"),
    ("sodium-thiosulfate", "mounting evidence", "one case report"),
    ("controlled-trials", "no controlled trials exist", "one small randomised trial"),
]


@pytest.mark.parametrize(("id_", "one", "other"), CONTRADICTIONS, ids=[item[0] for item in CONTRADICTIONS])
def test_contradictions_are_said_from_both_sides(ask: Ask, id_: str, one: str, other: str) -> None:
    """Where the texts contradict each other nothing is averaged: both sides stand there, each with its citation."""
    (found,) = [item for item in ask({})["contradictions"] if item["id"] == id_]
    positions = found["positions"]

    holding = [{position["says"] for position in positions if said in position["text"]} for said in (one, other)]
    assert all(holding)
    assert holding[0] != holding[1]
    assert all(position["references"] for position in positions)


def test_two_biologics_are_never_joined(ask: Ask) -> None:
    """Beside the list of refractory disease stands that its drugs are alternatives to each other."""
    assert any("Never two" in note["text"] for note in ask(REFRACTORY)["notes"])


# ---------------------------------------------------------------- unknown is not none

FEATURES = ("disease", "activity", "lesion_size", "extent", "refractory", "ulcerated", "inflamed", "painful")


@pytest.mark.parametrize("feature", FEATURES)
def test_unknown_feature_is_named(ask: Ask, feature: str) -> None:
    """A feature that was not said is neither assumed nor passed over: not_checked names the field."""
    known = {
        "disease": "juvenile-dermatomyositis",
        "activity": "active",
        "lesion_size": "small",
        "extent": "localized",
        "refractory": True,
        "ulcerated": True,
        "inflamed": True,
        "painful": True,
    }

    complete = ask(known)["not_checked"]
    without = ask({name: value for name, value in known.items() if name != feature})["not_checked"]

    assert complete == []
    assert any(item["needs"] == [f"presentation.{feature}"] for item in without)


def test_feature_that_is_said_to_be_absent_asks_nothing(ask: Ask) -> None:
    """``false`` is an answer: no ulcer, so the options for ulcers are neither shown nor asked about."""
    answer = ask({"ulcerated": False})

    assert "ulcerated" not in answer["scenarios"]
    assert not any("presentation.ulcerated" in item["needs"] for item in answer["not_checked"])


@pytest.mark.parametrize("disease", ["scleroderma", "Dermatomyositis", "juvenile dermatomyositis"])
def test_disease_that_nothing_knows_is_named(ask: Ask, disease: str) -> None:
    """A misspelt disease does not pass for a disease without treatment of its own."""
    (entry,) = [item for item in ask({"disease": disease})["not_checked"] if item["check"] == "disease"]

    assert entry["needs"] == ["presentation.disease"]
    assert "juvenile-dermatomyositis" in entry["why"]


def test_unknown_of_the_patient_stands_with_the_option(client: FlaskClient) -> None:
    """Of a patient of whom nothing is known, each drug says which fields would settle its rules; no dose is guessed."""
    response = client.post(OPTIONS, json={"presentation": LARGE})
    diltiazem = option(response.get_json(), "diltiazem")

    assert (diltiazem["status"], diltiazem["dose"]) == ("not-computable", None)
    needs = {path for item in diltiazem["not_checked"] for path in item["needs"]}
    assert {"patient.weight", "patient.medications", "patient.conditions"} <= needs


# ---------------------------------------------------------------- this patient


ACHALASIA = {"system": ICD, "code": "K22.0"}

# Presentation, changes of the patient, agent, its finding, and where it was read.
FORBIDDEN: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    (LARGE, {"conditions": [ACHALASIA]}, "alendronate", "oesophagus", "label: delayed emptying"),
    (LARGE, {"conditions": [ACHALASIA]}, "etidronate", "oesophagus", "label: delayed emptying"),
    (ACTIVE, {"pregnant": True}, "methotrexate", "Pregnancy", "label: pregnancy"),
    (SMALL, {"pregnant": True}, "warfarin", "regnan", "label: pregnancy, even at 1 mg"),
    (REFRACTORY, {"conditions": ["nyha-class-4"]}, "infliximab", "eart failure", "EU text, at any dose"),
    (
        LARGE,
        {"conditions": ["sick-sinus-syndrome"]},
        "diltiazem",
        "sinus",
        "label: sick sinus syndrome without a pacemaker",
    ),
]


@pytest.mark.parametrize(
    ("presentation", "changes", "agent", "reason", "why"), FORBIDDEN, ids=[item[2] for item in FORBIDDEN]
)
def test_contraindicated_option_stays_visible_with_its_reason(
    ask: Ask, presentation: dict[str, Any], changes: dict[str, Any], agent: str, reason: str, why: str
) -> None:
    """What this patient must not get leaves the options, shows no dose, and says why under not_recommended."""
    healthy, patient = ask(presentation), ask(presentation, **changes)

    assert agent in agents(healthy)
    assert agent not in agents(patient)
    (found,) = [item for item in patient["not_recommended"] if item["agent"] == agent]
    assert (found["status"], found["dose"]) == ("contraindicated", None)
    first = found["findings"][0]
    assert (first["severity"], first["verdict"]) == ("contraindicated", "applies")
    assert reason in first["summary"], why
    assert first["references"]


def test_nothing_is_lost_between_the_lists(ask: Ask) -> None:
    """A contraindication moves an option from one list to the other and takes none away."""
    presentation = ACTIVE | LARGE | REFRACTORY
    healthy = ask(presentation)
    patient = ask(presentation, pregnant=True, conditions=[ACHALASIA, "nyha-class-4"])

    assert healthy["not_recommended"] == []
    assert {item["agent"] for item in healthy["options"]} == {
        item["agent"] for item in (*patient["options"], *patient["not_recommended"])
    }
    assert len(patient["not_recommended"]) >= 4


# ---------------------------------------------------------------- links, references, form


def every_option(ask: Ask) -> Iterator[dict[str, Any]]:
    """Yield each option of every presentation of the tables, recommended or not, of a healthy and of an ill patient."""
    for presentation, *_ in (*ORDER, *NAMED):
        for changes in ({}, {"pregnant": True, "conditions": [ACHALASIA]}):
            answer = ask(presentation, **changes)
            yield from (*answer["options"], *answer["not_recommended"])


def test_every_option_leads_to_its_dose(ask: Ask, client: FlaskClient) -> None:
    """The link of an option is a request that is answered; without a patient it fails for missing inputs alone."""
    links = {json.dumps(item["dose_calculation"], sort_keys=True) for item in every_option(ask)}
    assert len(links) > 30

    for link in map(json.loads, links):
        method, href = link.pop("method"), link.pop("href")
        answers = [client.open(href, method=method, json=link | {"patient": who}) for who in (HEALTHY, {})]
        for response in answers:
            problems = {problem["code"] for problem in response.get_json().get("errors", [])}
            assert response.status_code == 200 or (response.status_code, problems) == (422, {"missing"}), link


def test_dose_of_an_option_is_the_one_behind_its_link(ask: Ask, client: FlaskClient) -> None:
    """The dose in the list is the first amount of the calculation that the link asks for."""
    for item in ask(LARGE)["options"]:
        link = {name: value for name, value in item["dose_calculation"].items() if name not in {"method", "href"}}
        answer = client.post("/v1/dose-calculations", json=link | {"patient": HEALTHY}).get_json()
        amounts = answer["dose"]["amounts"] if answer["dose"] else []
        assert (answer["status"], amounts[0]["text"] if amounts else None) == (item["status"], item["dose"])


def citations(node: Any) -> Iterator[str]:
    """Yield every citation inside an answer."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in {"references", "against_references"} and isinstance(value, list):
                yield from value
            else:
                yield from citations(value)
    elif isinstance(node, list):
        for value in node:
            yield from citations(value)


@pytest.mark.parametrize("presentation", [{}, SMALL, LARGE, ACTIVE_JUVENILE, REFRACTORY, {"ulcerated": True}])
def test_citations_resolve_inside_the_answer(ask: Ask, client: FlaskClient, presentation: dict[str, Any]) -> None:
    """Each citation is among the references of the same answer, none of those is idle, and each has its page."""
    answer = ask(presentation, pregnant=True, conditions=[ACHALASIA])
    references = answer.pop("references")

    assert set(citations(answer)) == set(references)
    for id_ in references:
        assert client.get(f"/v1/references/{id_}").status_code == 200


def test_each_option_is_cited_and_says_how_good_the_evidence_is(ask: Ask) -> None:
    """No option stands without a reason, a citation for it, and a verdict on the evidence."""
    for item in every_option(ask):
        assert item["reasons"]
        assert all(reason["references"] and reason["rationale"] for reason in item["reasons"])
        assert item["evidence"]
        assert item["verdict"] in {"supported", "weak", "disputed", "not-established", "advised-against"}


def test_answer_may_not_be_stored_and_says_what_it_rests_on(client: FlaskClient) -> None:
    """An answer about a patient is no-store, and carries the knowledge version, the day and the notice."""
    response = client.post(OPTIONS, json={"patient": HEALTHY, "presentation": SMALL, "as_of": "2026-11-21"})
    body = response.get_json()

    assert response.headers["Cache-Control"] == "no-store"
    assert body["as_of"] == "2026-11-21"
    assert body["knowledge"]["digest"].startswith("sha256:")
    assert "not clinically approved" in body["notice"]


def test_same_request_gives_the_same_bytes(client: FlaskClient) -> None:
    """The answer depends on nothing but the request and the knowledge."""
    body = {"patient": HEALTHY | {"conditions": [ACHALASIA]}, "presentation": ACTIVE | LARGE}

    assert len({client.post(OPTIONS, json=body).get_data() for _ in range(3)}) == 1


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("body", "status", "pointer", "code", "why"),
    [
        ({}, 422, "/presentation", "missing", "nothing is asked"),
        ({"patient": HEALTHY}, 422, "/presentation", "missing", "a patient alone"),
        ({"presentation": None}, 422, "/presentation", "null", "null is not a presentation"),
        ({"presentation": []}, 422, "/presentation", "not-an-object", "a list"),
        ({"presentation": "active"}, 422, "/presentation", "not-an-object", "a word"),
        ({"presentation": {"size": "small"}}, 422, "/presentation/size", "unknown-field", "an unknown feature"),
        ({"presentation": {}, "agent": "ivig"}, 422, "/agent", "unknown-field", "a field of the other request"),
        ({"presentation": {"refractory": None}}, 422, "/presentation/refractory", "null", "unknown is left out"),
        ({"presentation": {"refractory": "yes"}}, 422, "/presentation/refractory", "not-a-boolean", "a word for true"),
        ({"presentation": {"refractory": 1}}, 422, "/presentation/refractory", "not-a-boolean", "a number for true"),
        ({"presentation": {"lesion_size": "tiny"}}, 422, "/presentation/lesion_size", "not-a-choice", "no such size"),
        ({"presentation": {"lesion_size": ["small"]}}, 422, "/presentation/lesion_size", "not-a-choice", "a list"),
        ({"presentation": {"disease": 5}}, 422, "/presentation/disease", "not-a-string", "a number"),
        ({"presentation": {}, "patient": None}, 422, "/patient", "null", "null is not a patient"),
        ({"presentation": {}, "as_of": "21.11.2026"}, 422, "/as_of", "not-a-date", "another spelling of a day"),
        (
            {"presentation": {}, "patient": {"weight": {"value": 25, "unit": "Mg"}}},
            422,
            "/patient/weight/unit",
            "unit-not-accepted",
            "a megagram",
        ),
        ([], 422, "", "not-an-object", "an array"),
    ],
)
def test_bad_input_is_refused(client: FlaskClient, body: Any, status: int, pointer: str, code: str, why: str) -> None:
    """What is wrong is named with its place; nothing is assumed in its stead."""
    response = client.post(OPTIONS, json=body)

    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), why
    assert (pointer, code) == tuple(response.get_json()["errors"][0][name] for name in ("pointer", "code")), why


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        ("{", "application/json", 400),
        ('{"presentation": {}}', "text/plain", 415),
        ("x" * 70_000, "application/json", 413),
    ],
    ids=["broken", "media type", "too large"],
)
def test_body_that_is_no_json_is_refused(client: FlaskClient, data: str, media_type: str, status: int) -> None:
    """The same strict reader stands in front of every POST."""
    response = client.post(OPTIONS, data=data, content_type=media_type)

    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


def test_other_methods_are_refused(client: FlaskClient) -> None:
    """A query string could end in a log; so nothing about a patient is read from GET."""
    response = client.get(OPTIONS)

    assert (response.status_code, response.mimetype) == (405, "application/problem+json")
