"""What an answer looks like (rules 16 to 20 and 23 to 25)."""

import re
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from dosing_service import addresses, create_app
from dosing_service.cds_hooks.markdown import escaped
from dosing_service.config import Settings
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.systems import ICD10
from tests.cds_hooks.calls import (
    ALENDRONATE,
    DILTIAZEM,
    ETIDRONATE,
    LOINC,
    METHOTREXATE,
    RXNORM,
    SIMVASTATIN,
    UCUM,
    Json,
    bundle,
    call,
    cards,
    daily,
    empties,
    fitting,
    observation,
    order,
    prefetch,
    send,
    tenfold,
    too_often,
    topics,
)

OTHER_INSTANCE = "0b6c7a52-1d4f-4b9e-8a35-7c3f5f4f9f10"
MARKUP = "<script>alert(1)</script> **bold** [link](http://evil.example.org) `code`"
SIMVASTATIN_TAKEN = prefetch(medications=bundle(order(SIMVASTATIN, 40, id="taken-1", status="active")))
#: Two codes of different drugs: it cannot be read, and its name is shown as the record has it.
CODES_OF_TWO = [{"system": RXNORM, "code": code} for code, _ in (DILTIAZEM, METHOTREXATE)]
STATUS = {"clinicalStatus": "active", "verificationStatus": "confirmed"}
REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"


def unread(name: str, **changes: Any) -> Json:
    """An order whose codes contradict each other, under a name."""
    return order(**{"medicationCodeableConcept": {"coding": CODES_OF_TWO, "text": name}} | changes)


@pytest.fixture
def found(client: FlaskClient) -> list[Json]:
    """A card of every kind: two slips, an interaction, an order that cannot be read."""
    body = call(tenfold(), too_often(id="order-2"), unread("one of two", id="order-3"), ahead=SIMVASTATIN_TAKEN)
    shown = cards(client, body)
    assert {"DiltiazemDose", "AlendronateDose", "InteractionB008", "DiltiazemUnread"} <= set(topics(shown))
    return shown


@pytest.mark.parametrize(
    ("bound", "limit", "older", "expected"),
    [
        ("<", 15, 80, ["eGFR below 30 (eGFR below 15 mL/min/1.73 m\N{SUPERSCRIPT TWO}, as reported)."]),
        (">", 60, 20, []),
        (">", 20, 80, []),
    ],
)
def test_a_new_bound_speaks_and_an_old_number_does_not(
    client: FlaskClient, bound: str, limit: int, older: int, expected: list[str]
) -> None:
    """Etidronate is avoided below 30 (G-ETI): below 15 is below 30, above 60 is not, above 20 leaves it open."""
    unit = "mL/min/{1.73_m2}"
    new = observation("98979-8", limit, unit)
    new["valueQuantity"]["comparator"] = bound
    old = observation("98979-8", older, unit, id="old", effectiveDateTime="2024-01-01")
    body = call(daily(ETIDRONATE, 400), ahead=prefetch(observations=bundle(new, old)))
    found = [item["detail"] for item in cards(client, body) if "eGFR" in item["summary"]]
    assert [text for text in expected if not any(text in plain(detail) for detail in found)] == []
    assert len(found) == len(expected)


def plain(text: str) -> str:
    """Return Markdown without its escapes."""
    return text.replace("\\", "")


@pytest.mark.parametrize("text", ["BACTRIM DS 800-160 MG PO TABS", "Co-trimoxazole 960mg tablets", "Septra"])
def test_methotrexate_with_co_trimoxazole_is_stopped_by_any_name(client: FlaskClient, text: str) -> None:
    """Row B199 of the interactions: contraindicated, not even for prophylaxis."""
    taken = order(medicationCodeableConcept={"text": text}, id="taken-1", status="active")
    weekly = order(METHOTREXATE, 15, repeat={"frequency": 1, "period": 1, "periodUnit": "wk"})
    found = cards(client, call(weekly, ahead=prefetch(medications=bundle(taken))))
    assert [item["indicator"] for item in found if item["source"]["topic"]["code"] == "InteractionB199"] == ["critical"]


def test_a_medication_that_nobody_knows_stands_on_the_cards(client: FlaskClient) -> None:
    """By the name that the record has; it makes no card of its own."""
    taken = order(medicationCodeableConcept={"text": "Examplazol 5 mg"}, id="taken-1", status="active")
    ahead = prefetch(medications=bundle(taken))
    assert cards(client, call(fitting(), ahead=ahead)) == []
    assert (
        "Medication not recognised, and not checked: Examplazol 5 mg."
        in cards(client, call(tenfold(), ahead=ahead))[0]["detail"]
    )


def test_an_allergy_that_nobody_knows_stands_on_the_cards(client: FlaskClient) -> None:
    """It makes no card of its own; where there is one, it says that this allergy was not checked, and which it is."""
    unknown = {"resourceType": "AllergyIntolerance", "code": {"text": "Examplamycin"}}
    assert cards(client, call(fitting(), ahead=prefetch(allergies=bundle(unknown)))) == []
    shown = cards(client, call(tenfold(), ahead=prefetch(allergies=bundle(unknown))))
    assert "Allergies not recognised, and not checked: Examplamycin." in shown[0]["detail"]
    assert "allergies[0]" not in shown[0]["detail"]


#: A list of diagnoses in codes, of which none is about alendronate.
DERMATOMYOSITIS = prefetch(
    conditions=bundle(
        {
            "resourceType": "Condition",
            "id": "c1",
            "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"system": ICD10, "code": "M33.10"}]},
        }
    )
)


# ---- Rules 16 and 17: the frame


def test_rule_16_what_a_list_of_codes_cannot_say_is_no_card(client: FlaskClient) -> None:
    """That no code says whether she can sit upright is said in the detail of a card, and makes none itself."""
    weekly = order(ALENDRONATE, 70, repeat={"frequency": 1, "period": 1, "periodUnit": "wk"})
    assert cards(client, call(weekly, ahead=DERMATOMYOSITIS)) == []
    (card,) = cards(client, call(too_often(), ahead=DERMATOMYOSITIS))
    not_ruled_out, _, for_want_of = card["detail"].partition("Not ruled out:")[2].partition("Not checked for want of:")
    assert "sit upright" in not_ruled_out
    assert "yes or no to “Unable to stand or sit upright for 30 minutes”" in for_want_of


def test_rule_16_nothing_to_say_is_an_empty_list(client: FlaskClient) -> None:
    """200 with ``cards``, never 204; the same where there is no order at all."""
    for body in (call(fitting()), call()):
        answer = send(client, body)
        assert (answer.status_code, answer.json) == (200, {"cards": []})


def test_rule_16_an_answer_holds_cards_alone(client: FlaskClient) -> None:
    """Orders are changed by people: there are no system actions."""
    answer = send(client, call(tenfold()))

    assert list(answer.json) == ["cards"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_rule_17_nothing_is_empty(found: list[Json]) -> None:
    """Neither null nor an empty string, list or object stands anywhere in a card."""
    assert empties(found) == []


def test_rule_17_nothing_of_an_order_is_empty_when_it_comes_back(client: FlaskClient) -> None:
    """An order that is sent with empty parts comes back without them."""
    given = tenfold(note=[], encounter={}, priorPrescription={"display": ""}) | {"reasonCode": None}
    (card,) = cards(client, call(given))

    assert card["suggestions"]
    assert empties(card) == []


# ---- Rule 18: summary, indicator, source


@pytest.mark.parametrize(
    ("given", "indicator", "summary"),
    [
        # 1,800 mg a day are 6.4 times the 280 mg that 4 mg/kg are for 70 kg.
        (tenfold(), "critical", "diltiazem 1,800 mg daily: 6.4 times the documented dose, factor of ten?"),
        (too_often(), "critical", "alendronate 70 mg daily: 7 times the documented dose, daily instead of weekly?"),
    ],
)
def test_rule_18_summary_says_drug_order_and_problem(
    given: Json, indicator: str, summary: str, client: FlaskClient
) -> None:
    """One sentence that names the order (P7) and the number."""
    (card,) = cards(client, call(given))
    assert (card["indicator"], card["summary"]) == (indicator, summary)


def test_rule_18_sum_of_several_orders_is_said_to_be_one(client: FlaskClient) -> None:
    """60 + 40 + 20 mg stand in three orders: nobody who signs one of them can know what 120 mg are."""
    steps = [daily(("8640", "prednisone"), dose, id=f"order-{dose}") for dose in (60, 40, 20)]
    (card,) = cards(client, call(*steps))

    assert card["summary"] == (
        "prednisone 120 mg daily passes the documented maximum of 100 mg daily (3 orders together)"
    )
    assert "Ordered, 3 orders together: 120 mg per administration; 120 mg daily" in card["detail"]
    assert "belong in one order" in card["detail"]
    assert "together" not in str(cards(client, call(daily(("8640", "prednisone"), 120))))


def test_rule_18_sum_of_long_names_keeps_its_end(client: FlaskClient) -> None:
    """However long the rest is, it stays below 140 characters and says of how many orders it is the sum."""
    many = [too_often(id=f"order-{place}") for place in range(30)]
    (card,) = cards(client, call(*many))

    assert len(card["summary"]) < 140
    assert card["summary"].endswith(" (30 orders together)")


def test_rule_18_weekly_drug_given_daily_is_critical_without_an_amount(client: FlaskClient) -> None:
    """Tablets of methotrexate every day, of a strength that nobody can tell: the rhythm alone is the problem."""
    given = daily(("", ""), 6, medicationCodeableConcept={"text": "METHOTREXATE 2.5 MG PO TABS"})
    tablets = {"value": 6, "unit": "{tbl}", "system": UCUM, "code": "{tbl}"}
    given["dosageInstruction"][0]["doseAndRate"] = [{"doseQuantity": tablets}]
    (card,) = cards(client, call(given))

    assert card["indicator"] == "critical"
    assert card["summary"].startswith("methotrexate is ordered daily; documented is once weekly")


def test_rule_18_gram_of_ointment_is_one_warning_of_its_route(client: FlaskClient) -> None:
    """A gram of a 2 % ointment holds 20 mg; only that no dose is documented by this route is said."""
    given = order(DILTIAZEM, 1000)
    given["dosageInstruction"][0]["route"]["coding"][0]["code"] = "37161004"
    (card,) = cards(client, call(given))

    assert card["indicator"] == "warning"
    assert card["summary"] == "diltiazem is ordered by a route (rectal) for which no dose is documented here."


def test_rule_18_indicator_follows_the_severity(found: list[Json]) -> None:
    """Worst first: slips of a factor are critical, the interaction is a warning, the unread order information."""
    assert {card["source"]["topic"]["code"]: card["indicator"] for card in found} == {
        "DiltiazemDose": "critical",
        "AlendronateDose": "critical",
        "InteractionB008": "warning",
        "DiltiazemUnread": "info",
    }
    order_of = ["critical", "warning", "info"]
    assert [card["indicator"] for card in found] == sorted((c["indicator"] for c in found), key=order_of.index)


def test_rule_18_summary_stays_below_140_characters(client: FlaskClient, found: list[Json]) -> None:
    """A name of any length leaves room for what is said of it."""
    (long,) = cards(client, call(unread("Supercalifragil " * 60)))

    assert long["summary"].startswith("Supercalifragil Supercalifragil")
    assert ": dose not checked, the codes are of different drugs" in long["summary"]
    assert all(0 < len(card["summary"]) <= 139 for card in [long, *found])
    assert not any("\n" in card["summary"] for card in found)


def test_rule_18_summary_may_have_139_characters_and_no_more(client: FlaskClient) -> None:
    """One conformance test refuses 140 itself. Letter by letter the name pushes the summary over the limit."""
    three = [{"system": RXNORM, "code": code} for code in ("3443", "6851", "6980")]
    names = ["x" * length for length in range(1, 61)]
    orders = [unread(name, id=name, medicationCodeableConcept={"coding": three, "text": name}) for name in names]
    lengths = [len(card["summary"]) for card in cards(client, call(*orders))]

    assert len(lengths) == 60
    assert max(lengths) == 139


def test_rule_18_source_has_a_label_an_address_and_a_topic(found: list[Json]) -> None:
    """The address is absolute; the code of the topic is letters and digits, at most 100."""
    for card in found:
        source = card["source"]
        parts = urlsplit(source["url"])
        assert source["label"]
        assert (parts.scheme, bool(parts.netloc)) == ("http", True)
        assert source["topic"]["system"]
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", source["topic"]["code"], re.ASCII)


def test_rule_18_address_of_the_source_answers(client: FlaskClient, found: list[Json]) -> None:
    """Whoever follows it gets a page."""
    assert client.get(urlsplit(found[0]["source"]["url"]).path).status_code == 200


def test_rule_18_public_address_is_the_one_that_is_shown(knowledge: KnowledgeBase) -> None:
    """Behind a proxy the address of the call is not the one that clinicians reach."""
    public = addresses.parse("https://cds.example.org/dosing")
    client = create_app(settings=Settings(public_url=public), known=knowledge).test_client()
    (card,) = cards(client, call(tenfold()))

    assert card["source"]["url"].startswith("https://cds.example.org/dosing/")
    assert card["links"][0]["url"].startswith("https://cds.example.org/dosing/")


def test_rule_18_topic_is_the_same_in_every_call(client: FlaskClient) -> None:
    """An override is remembered under it, so neither the call nor the patient nor the amount may change it."""
    first = topics(cards(client, call(tenfold(), too_often(id="order-2"))))
    given = [too_often(id="a"), daily(DILTIAZEM, 1900, id="b")]
    other = call(*given, ahead=prefetch("height"), patientId="Patient/p1") | {"hookInstance": OTHER_INSTANCE}

    assert sorted(topics(cards(client, other))) == sorted(first)


# ---- Rule 19: uuid


def uuids(shown: list[Json]) -> list[str]:
    """Return the ids of the cards and of their suggestions."""
    return [item["uuid"] for card in shown for item in (card, *card.get("suggestions", []))]


def test_rule_19_cards_and_suggestions_have_uuids(found: list[Json]) -> None:
    """Without one no feedback is ever sent; no two are the same, and all are of a form of RFC 4122."""
    ids = uuids(found)

    assert len(ids) == len(set(ids)) > len(found)
    assert {UUID(item).variant for item in ids} == {"specified in RFC 4122"}
    assert {UUID(item).version for item in ids} <= {4, 5}
    assert all(str(UUID(item)) == item for item in ids)


def test_rule_19_uuids_are_those_of_the_call(client: FlaskClient) -> None:
    """A call that is repeated has the same answer; another call has other ids."""
    body = call(tenfold(), too_often(id="order-2"))
    first, again = cards(client, body), cards(client, body)
    other = cards(client, body | {"hookInstance": OTHER_INSTANCE})

    assert first == again
    assert not set(uuids(first)) & set(uuids(other))


def test_rule_19_two_orders_that_cannot_be_read_have_two_cards(client: FlaskClient) -> None:
    """The same words about two orders are two cards, each with its own id."""
    ids = uuids(cards(client, call(unread("a"), unread("b", id="order-2"))))
    assert len(set(ids)) == 2


def test_rule_18_what_was_not_checked_is_named_for_people(client: FlaskClient) -> None:
    """Not the places of a list: a diagnosis, a drug and an allergy that nothing here knows, a result in no unit."""
    foreign = {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}
    ahead = prefetch(
        conditions=bundle({"resourceType": "Condition", "code": foreign}),
        allergies=bundle({"resourceType": "AllergyIntolerance", "code": foreign}),
        medications=bundle(order(("1", "x"), id="taken", status="active")),
        observations=bundle(observation("2160-0", 460, "furlong")),
    )
    details = "".join(card["detail"] for card in cards(client, call(too_often(), ahead=ahead)))

    assert "a diagnosis under a code that is known here" in details
    assert "creatinine in serum or plasma in a unit that fits its code" in details
    assert "LOINC" not in details
    assert "\\[" not in details


# ---- Rule 20: text of others


def test_rule_20_markup_of_a_name_is_no_markup_in_the_summary(client: FlaskClient) -> None:
    """Some clients render a summary as HTML: what a record calls a drug brings no tag."""
    (card,) = cards(client, call(unread(MARKUP)))

    assert "alert(1)" in card["summary"]
    assert not set("<>") & set(card["summary"])
    assert "<" not in card["detail"]


def test_rule_20_markup_of_a_name_is_text_in_the_detail(client: FlaskClient) -> None:
    """A drug that is known by its name alone is named in the detail, as exactly this text."""
    name = "diltiazem 60 mg <img src=x onerror=alert(1)> [link](http://evil.example.org)"
    (card,) = cards(client, call(tenfold(medicationCodeableConcept={"text": name})))

    assert "onerror=alert" in card["detail"]
    assert not re.search(r"<[a-z/!]", card["detail"], re.IGNORECASE)
    assert "](" not in card["detail"]
    assert "&lt;img" in card["detail"]


#: What GitHub Flavored Markdown (6.9) makes a link of, and beside it the bare names that linkifiers of web pages take.
LIVE = re.compile(r"(?:https?|ftp)://|www\.\w|[\w.+-]@[\w-]|\w\.(?:org|com|example)\b", re.IGNORECASE)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.org/pay",
        "HTTP://EVIL.ORG",
        "ftp://1.2.3.4/",
        "http://localhost",
        "www.evil.org",
        "WWW.e.org",
        "evil.example.org",
        "//evil.org",
        "mailto:a@evil.org",
        "a.b@evil.org",
        "xmpp:a@localhost",
    ],
)
def test_rule_20_address_of_a_record_is_no_link(address: str, client: FlaskClient) -> None:
    """A name of a drug that says where to pay is read, and cannot be clicked."""
    body = call(tenfold(medicationCodeableConcept={"text": f"diltiazem 60 mg {address}"}))
    (line,) = [text for text in cards(client, body)[0]["detail"].splitlines() if "by its name" in text]

    assert LIVE.search(f"see {address}") or "//" in address
    assert LIVE.search(line) is None
    assert "//" not in line
    assert address in line.replace("\u200b", "").replace("\\", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. item", "1\\. item"),
        ("12.", "12\\."),
        ("===", "\\==="),
        ("0.5 mg, e.g. twice", "0.5 mg, e.g. twice"),
        ("15 mg of 2.5 mg", "15 mg of 2.5 mg"),
    ],
)
def test_rule_20_number_at_the_beginning_begins_no_list(text: str, expected: str) -> None:
    """Nor do equals signs make a heading of the line before; doses stay as they are."""
    assert expected == escaped(text)


@pytest.mark.parametrize("end", ["\n\n# Stop", "\r\n- item", "\u2028x", "\u202etxet"])
def test_rule_20_a_name_stays_on_its_line(end: str, client: FlaskClient) -> None:
    """Line ends and marks that turn the writing round do not come through."""
    (card,) = cards(client, call(unread(f"name{end}")))
    assert not re.search("[\x00-\x1f\u2028\u2029\u202a-\u202e]", card["summary"])


# ---- Rules 23 to 25: reasons, links, what is not used


def test_rule_23_override_reasons_are_complete(found: list[Json]) -> None:
    """Each has a code of the standard set, its system and words. Where nothing was found, nothing can be overridden."""
    for card in found:
        reasons = card.get("overrideReasons", [])
        assert bool(reasons) == (card["source"]["topic"]["code"] != "DiltiazemUnread")
        assert all(set(reason) == {"code", "system", "display"} for reason in reasons)
        assert {reason["system"] for reason in reasons} <= {REASONS}
        codes = [reason["code"] for reason in reasons]
        assert len(codes) == len(set(codes))
        assert set(codes) <= {"patient-ineligible", "action-completed", "risk-benefit-ratio", "need-more-info"}


def test_rule_24_links_are_absolute(client: FlaskClient, found: list[Json]) -> None:
    """A link is a page of this service, with a label, and no app to launch."""
    links = [link for card in found for link in card.get("links", [])]

    assert {urlsplit(link["url"]).path for link in links} == {"/v1/agents/diltiazem", "/v1/agents/alendronate"}
    for link in links:
        assert set(link) == {"label", "url", "type"}
        assert link["type"] == "absolute"
        assert urlsplit(link["url"]).netloc
        assert client.get(urlsplit(link["url"]).path).status_code == 200


def test_rule_25_nothing_of_later_versions_is_sent(client: FlaskClient, found: list[Json]) -> None:
    """``actionSelectionBehavior`` is of 3.0, and system actions are for those who agreed on them."""
    allowed = {
        "uuid",
        "summary",
        "indicator",
        "detail",
        "source",
        "overrideReasons",
        "suggestions",
        "selectionBehavior",
    }

    assert "systemActions" not in send(client, call(tenfold())).json
    for card in found:
        assert set(card) <= allowed | {"links"}
        for suggestion in card.get("suggestions", []):
            assert set(suggestion) <= {"label", "uuid", "isRecommended", "actions"}
            assert all(set(action) == {"type", "description", "resource"} for action in suggestion["actions"])


# ---- Pregnancy


def _weekly_methotrexate() -> Json:
    return order(METHOTREXATE, 15, repeat={"frequency": 1, "period": 1, "periodUnit": "wk"})


def _pregnant() -> Json:
    """An active, confirmed diagnosis: SNOMED CT 77386006."""
    status = {name: {"coding": [{"code": code}]} for name, code in STATUS.items()}
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]}
    return {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}, "code": code, **status}


def _pregnancy_status(answer: str) -> Json:
    """LOINC 82810-3, answered yesterday."""
    said = observation("82810-3", 1, "1", valueCodeableConcept={"coding": [{"system": LOINC, "code": answer}]})
    return {name: value for name, value in said.items() if name != "valueQuantity"}


@pytest.mark.parametrize(
    "ahead",
    [
        {"conditions": bundle(_pregnant())},
        {"observations": bundle(_pregnancy_status("LA15173-0"))},
        {"conditions": bundle(_pregnant()), "observations": bundle(_pregnancy_status("LA15173-0"))},
    ],
    ids=["diagnosis", "answer", "both"],
)
def test_a_pregnancy_of_the_record_is_warned_of(client: FlaskClient, ahead: Json) -> None:
    """Methotrexate is contraindicated in pregnancy for a disease that is not cancer (its label)."""
    found = cards(client, call(_weekly_methotrexate(), ahead=prefetch(**ahead)))
    (card,) = [item for item in found if "unborn child" in item["summary"]]
    assert card["indicator"] == "critical"
    assert "whether pregnant" not in card["detail"]


def test_no_pregnancy_is_only_what_an_answer_says(client: FlaskClient) -> None:
    """A list of diagnoses without a pregnancy leaves it open: it stays among what was not ruled out."""
    aspirin = order(("1191", "aspirin"), 100, id="taken", status="active")
    silent, answered = (
        cards(client, call(_weekly_methotrexate(), ahead=prefetch(medications=bundle(aspirin), observations=results)))
        for results in (bundle(), bundle(_pregnancy_status("LA26683-5")))
    )
    assert any("unborn child" in card["detail"] for card in silent)
    assert answered
    assert not any("unborn child" in card["detail"] for card in answered)
