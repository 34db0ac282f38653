"""Every interaction row speaks at its grade, in both directions, and the silent ones stay silent.

The grades come from ``interaction_grades.csv``: the id and severity columns of the reviewed table that the rows were
written from, copied without going through the knowledge files.
"""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dosing_service import service
from dosing_service.errors import InvalidRequest
from dosing_service.knowledge import load
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.safety import Always, Interaction, slug
from dosing_service.model import Assessment, Coding, Finding, Patient, Severity, Verdict
from dosing_service.rules import interactions
from dosing_service.rules.conditions import Context
from dosing_service.rules.facts import Facts, substance
from dosing_service.systems import ATC, ICD10, RXNORM, SNOMED
from schemas.reading import dose_request

_GRADES = {
    row["id"]: row["severity"]
    for row in csv.DictReader((Path(__file__).parent / "interaction_grades.csv").read_text("utf-8").splitlines())
}
_KNOWLEDGE = load()
_ROWS = _KNOWLEDGE.interactions


def _quantity(value: int, unit: str) -> dict[str, Any]:
    return {"value": Decimal(value), "unit": unit}


#: A woman in good health, so that no row is graded up for her kidneys, liver or bowels.
_ADULT: dict[str, Any] = {
    "age": _quantity(40, "a"),
    "sex": "female",
    "weight": _quantity(70, "kg"),
    "height": _quantity(170, "cm"),
    "pregnant": False,
    "lactating": False,
    "conditions": [],
    "allergies": [],
    "observations": [{"code": "2160-0", "value": Decimal("0.7"), "unit": "mg/dL"}],
}
#: Square metres times mg/m2 stay below 20 mg weekly.
_CHILD = _ADULT | {"age": _quantity(10, "a"), "weight": _quantity(30, "kg"), "height": _quantity(140, "cm")}
_NEWBORN = _ADULT | {"age": _quantity(14, "d"), "weight": _quantity(4, "kg"), "height": _quantity(52, "cm")}

#: Rows whose gate the healthy adult on the agent's first regimen of the row's route does not pass.
_GATED: dict[str, dict[str, Any]] = {
    "A015": {"why": "pulses from 500 mg", "regimen": "review-adult-pulse"},
    "B116": {"why": "newborns up to 28 days", "patient": _NEWBORN},
    "B190": {"why": "more than 10 mg daily", "regimen": "review-adult-dermatomyositis"},
    "B201": {"why": "up to 20 mg weekly", "regimen": "cohort-first-line-oral", "patient": _CHILD},
    "B203": {"why": "the grade up to 20 mg weekly", "regimen": "cohort-first-line-oral", "patient": _CHILD},
    "B204": {"why": "the grade up to 20 mg weekly", "regimen": "cohort-first-line-oral", "patient": _CHILD},
}
#: No regimen of this agent has a route of the row: it is asked of the rule itself, with the route that it names.
_NO_REGIMEN = {
    ("B091", "etidronate"): ("intravenous", "all its regimens are oral"),
    ("B190", "triamcinolone"): ("intramuscular", "all its regimens are intralesional"),
}


def _ask(agent: str, regimen: str | None, *medications: Any, **changes: Any) -> Assessment:
    """Return the answer for the healthy adult, doses and all: neither age nor another row may hide an interaction."""
    body = {
        "agent": agent,
        "patient": _ADULT | {"medications": list(medications)} | changes,
        "options": {
            "include_outside_population": True,
            "include_contraindicated": True,
            "volume": {"value": Decimal("0.1"), "unit": "mL"},
        },
    }
    return service.calculate_dose(dose_request(body | ({"regimen": regimen} if regimen else {})), _KNOWLEDGE)


def _regimen(agent: str, row: Interaction) -> str | None:
    """Return the agent's first regimen that is given by a route of the row; procedures have none."""
    regimens = _KNOWLEDGE.agents[agent].regimens.values()
    return next((item.id for item in regimens if not row.routes or item.route in row.routes), None)


def _partners(row: Interaction) -> list[Any]:
    """Return the partner as a list of medication would hold it: our ids, else its first code, else its name."""
    if row.partner.agents:
        return sorted(row.partner.agents)
    if row.partner.atc:
        return [_atc(row.partner.atc[0])]
    return [_rxnorm(code) for code in sorted(row.partner.rxnorm)[:1]] or [slug(row.partner.name)]


def _atc(code: str) -> dict[str, str]:
    return {"system": ATC, "code": code}


def _rxnorm(code: str) -> dict[str, str]:
    return {"system": RXNORM, "code": code}


def _said(assessment: Assessment) -> dict[str, Finding]:
    return {finding.id: finding for finding in assessment.findings if finding.category.value == "interaction"}


def _label(part: Any) -> str:
    return part["code"] if isinstance(part, dict) else str(part)


_FORWARD = [
    pytest.param(row, agent, partner, id=f"{row.id}-{agent}-{_label(partner)}")
    for row in _ROWS.values()
    if _GRADES[row.id] != "none"
    for agent in sorted(row.agents)
    for partner in _partners(row)
    if (row.id, agent) not in _NO_REGIMEN and partner != agent
]
_REVERSE = [
    pytest.param(row, agent, partner, id=f"{row.id}-{partner}-{agent}")
    for row in _ROWS.values()
    if _GRADES[row.id] != "none"
    for agent in sorted(row.agents)
    for partner in sorted(row.partner.agents)
    if partner != agent
]


def test_the_table_and_the_knowledge_name_the_same_rows() -> None:
    """Nothing was lost between the reviewed table and the knowledge: 387 rows alert, 15 are silent."""
    assert set(_GRADES) == set(_ROWS)
    assert (
        sum(grade != "none" for grade in _GRADES.values()),
        sum(grade == "none" for grade in _GRADES.values()),
    ) == (387, 15)


@pytest.mark.parametrize(("row", "agent", "partner"), _FORWARD)
def test_row_speaks_at_its_grade(row: Interaction, agent: str, partner: Any) -> None:
    """Whoever asks for the agent while the partner is on the list is told, at the grade of the reviewed table."""
    gated = _GATED.get(row.id, {})
    regimen = gated.get("regimen", _regimen(agent, row))
    if regimen not in _KNOWLEDGE.agents[agent].regimens:
        regimen = _regimen(agent, row)
    finding = _said(_ask(agent, regimen, partner, **gated.get("patient", {}))).get(f"interaction-{row.id}")
    assert finding is not None
    assert (_GRADES[row.id], Verdict.APPLIES) == (finding.severity.value, finding.verdict)
    assert "patient.medications[0]" in finding.because


#: Creatinine clearance below 30 mL/min or a diseased liver, in the codes of a list of diagnoses.
_KIDNEY_OR_LIVER = [
    *[(ICD10, code) for code in ("N18.4", "N18.5", "N18.6", "I12.0", "Z99.2")],
    *[(SNOMED, code) for code in ("431857002", "433146000", "46177005", "105502003")],
    *[(ICD10, code) for code in ("K70.30", "K71.7", "K72.90", "K73.9", "K74.60", "K74.69")],
    *[(SNOMED, code) for code in ("19943007", "328383001", "59927004")],
]


@pytest.mark.parametrize(("system", "code"), _KIDNEY_OR_LIVER)
def test_diltiazem_with_colchicine_is_forbidden_by_the_diagnosis_alone(system: str, code: str) -> None:
    """A001 is graded up by a diagnosis in either system, and then waits for no creatinine."""
    answer = _ask("diltiazem", None, "colchicine", conditions=[{"system": system, "code": code}], observations=[])
    assert _said(answer)["interaction-A001"].severity is Severity.CONTRAINDICATED
    assert not [item for item in answer.not_checked if "interaction-A001" in item.why]


@pytest.mark.parametrize("code", ["N18.2", "N18.30", "K80.20", "M33.10"])
def test_diltiazem_with_colchicine_is_not_forbidden_by_other_diagnoses(code: str) -> None:
    """Mild or moderate kidney disease, gallstones and dermatomyositis leave the row at its grade."""
    answer = _ask("diltiazem", None, "colchicine", conditions=[{"system": ICD10, "code": code}])
    assert _said(answer)["interaction-A001"].severity is Severity.MAJOR


@pytest.mark.parametrize(
    ("row", "agent", "partner", "code", "expected"),
    [
        ("B128", "aluminium-hydroxide", _atc("A12BA02"), "N18.4", Severity.CONTRAINDICATED),
        ("B128", "aluminium-hydroxide", _atc("A12BA02"), "N18.30", Severity.MAJOR),
        ("B172", "colchicine", _atc("J02AC01"), "Z99.2", Severity.CONTRAINDICATED),
        ("B172", "colchicine", _atc("J02AC01"), "K71.7", Severity.CONTRAINDICATED),
    ],
)
def test_kidney_disease_grades_up(row: str, agent: str, partner: Any, code: str, expected: Severity) -> None:
    """Below 30 mL/min/1.73 m2 is stage 4 and beyond; who is on dialysis has an impaired kidney."""
    answer = _ask(agent, _regimen(agent, _ROWS[row]), partner, conditions=[{"system": ICD10, "code": code}])
    assert _said(answer)[f"interaction-{row}"].severity is expected


@pytest.mark.parametrize(("row", "agent"), [(row, agent) for row, agent in _NO_REGIMEN])
def test_row_without_a_regimen_of_its_route_speaks_when_there_is_one(row: str, agent: str) -> None:
    """No regimen reaches these rows yet; given by the route they name, the agent would."""
    route, _ = _NO_REGIMEN[row, agent]
    facts = Facts(
        dose_request({"agent": agent, "patient": _ADULT | {"medications": _partners(_ROWS[row])}}).patient,
        _KNOWLEDGE.terminology,
    )
    found, _ = interactions.found(_KNOWLEDGE.agents[agent], _KNOWLEDGE, Context(facts, route, None, None))
    assert (f"interaction-{row}", _GRADES[row]) in {(finding.id, finding.severity.value) for finding in found}


@pytest.mark.parametrize(("row", "agent", "partner"), _REVERSE)
def test_row_speaks_in_the_other_direction(row: Interaction, agent: str, partner: str) -> None:
    """Asked the other way round, the same row speaks at the same grade; where it counts the dose or route of the drug
    on the list, which nobody sent, it says that it is only possible.
    """
    regimens = [None, *_KNOWLEDGE.agents[partner].regimens]
    finding = _said(_ask(partner, regimens[1] if len(regimens) > 1 else None, agent)).get(f"interaction-{row.id}")
    assert finding is not None
    assert _GRADES[row.id] == finding.severity.value


def test_an_antacid_beside_mycophenolate_is_as_certain_in_both_directions() -> None:
    """Aluminium hydroxide is taken by mouth alone: nothing is left open, whichever of the two is ordered."""
    pairs = (("mycophenolate", "aluminium-hydroxide"), ("aluminium-hydroxide", "mycophenolate"))
    found = [_said(_ask(agent, next(iter(_KNOWLEDGE.agents[agent].regimens)), taken)) for agent, taken in pairs]
    assert [item["interaction-A045"].verdict for item in found] == [Verdict.APPLIES, Verdict.APPLIES]


@pytest.mark.parametrize("id_", [id_ for id_, grade in _GRADES.items() if grade == "none"])
def test_silent_row_stays_silent(id_: str) -> None:
    """A pair that was reviewed and found harmless gives no finding, whatever a broader row says."""
    row = _ROWS[id_]
    for agent in sorted(row.agents):
        route = next(iter(sorted(row.routes)), None)
        for partner in [*_partners(row), *(_atc(code) for code in row.partner.atc)]:
            facts = Facts(Patient(medications=_taken(agent, partner)), _KNOWLEDGE.terminology)
            found, _ = interactions.found(_KNOWLEDGE.agents[agent], _KNOWLEDGE, Context(facts, route, None, None))
            assert found == [], (agent, partner)


def _taken(agent: str, *partners: Any) -> Any:
    return dose_request({"agent": agent, "patient": {"medications": list(partners)}}).patient.medications


@pytest.mark.parametrize(
    ("agent", "regimen", "medication", "ids", "why"),
    [
        ("diltiazem", None, _atc("C10AA01"), {"interaction-B008"}, "simvastatin: the row of the exact code"),
        ("diltiazem", None, _atc("C10AA03"), set(), "pravastatin was reviewed and is silent beside other statins"),
        ("diltiazem", None, _rxnorm("42463"), set(), "pravastatin by its ingredient is as silent as by its ATC code"),
        ("diltiazem", None, _atc("L04AF02"), set(), "baricitinib by ATC is our agent and silent"),
        ("diltiazem", None, "tofacitinib", {"interaction-A002"}, "an agent row beats rows of an ATC group"),
        ("ruxolitinib", None, "diltiazem", {"interaction-A003"}, "the other direction, from the agent row"),
        ("warfarin", None, _atc("M01AX05"), {"interaction-B077"}, "glucosamine is excepted from the row of NSAIDs"),
        ("warfarin", None, _atc("M01AE01"), {"interaction-B049"}, "ibuprofen is not"),
        ("ceftriaxone", None, "probenecid", {"interaction-A044"}, "ceftriaxone is excepted from the cephalosporins"),
        ("probenecid", None, _atc("J01DD02"), set(), "ceftazidime was reviewed and is silent"),
        ("probenecid", None, _atc("J01DD01"), {"interaction-B147"}, "cefotaxime is not"),
        ("etanercept", None, _atc("J07BK03"), set(), "the recombinant zoster vaccine is not live"),
        ("etanercept", None, _atc("J07BK02"), {"interaction-B248"}, "the other one is"),
        ("tofacitinib", None, _atc("L01BA01"), {"interaction-A071"}, "methotrexate by its second code is our agent"),
        ("sodium-thiosulfate", "topical-10-percent", "diltiazem", set(), "on the skin it interacts with nothing"),
        ("sodium-thiosulfate", "intralesional-250-monthly", "warfarin", set(), "nor injected into a lesion"),
        ("sodium-thiosulfate", "intravenous-weekly", "warfarin", {"interaction-A024"}, "by vein it does"),
        ("triamcinolone", None, "warfarin", {"interaction-A016"}, "the silence of the cream is not that of injections"),
        (
            "alendronate",
            None,
            _rxnorm("1897"),
            {"interaction-B079"},
            "calcium carbonate is a mineral and an antacid: once",
        ),
        ("alendronate", None, _atc("A02AC01"), {"interaction-B079"}, "the antacid of calcium is calcium"),
        (
            "alendronate",
            None,
            _rxnorm("6582"),
            {"interaction-B079"},
            "magnesium oxide is a mineral and an antacid: once",
        ),
        ("alendronate", None, _atc("A12AX"), {"interaction-B079"}, "calcium with vitamin D is calcium"),
        ("alendronate", None, _atc("A02AD02"), {"interaction-A026"}, "magaldrate holds aluminium"),
        ("alendronate", None, "aluminium-hydroxide", {"interaction-A026"}, "aluminium itself"),
        ("etidronate", None, _rxnorm("1897"), {"interaction-B090"}, "the same of etidronate"),
        ("minocycline", None, _rxnorm("1897"), {"interaction-B102"}, "and of minocycline"),
        ("minocycline", None, _rxnorm("29155"), {"interaction-B102"}, "magnesium by its carbonate"),
        ("minocycline", "label-infection-intravenous", _atc("A12AA04"), set(), "by vein nothing binds it in the gut"),
    ],
)
def test_the_most_specific_row_speaks(
    agent: str, regimen: str | None, medication: Any, ids: set[str], why: str
) -> None:
    """Of the rows that fit a pair the closest one speaks, and alone."""
    assert ids == set(_said(_ask(agent, regimen or next(iter(_KNOWLEDGE.agents[agent].regimens)), medication))), why


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("M01AX05", "glucosamine"),
        ("M01AX12", "glucosaminoglycan polysulfate"),
        ("M01AX14", "orgotein"),
        ("M01AX21", "diacerein"),
        ("M01AX24", "oxaceprol"),
        ("M01AX25", "chondroitin sulfate"),
        ("M01AX26", "avocado and soyabean oil"),
    ],
)
@pytest.mark.parametrize("id_", [id_ for id_, row in _ROWS.items() if "M01A" in row.partner.atc])
def test_what_stands_beside_the_nsaids_in_atc_is_none_of_them(id_: str, code: str, why: str) -> None:
    """M01A holds drugs for joints that block no cyclooxygenase: they strain no kidney and cause no bleeding."""
    given = substance(Coding(code, ATC), _KNOWLEDGE.terminology)
    agents = [_KNOWLEDGE.agents[agent] for agent in _ROWS[id_].agents]
    assert [agent.id for agent in agents if _ROWS[id_] in interactions.matching(agent, _KNOWLEDGE, given)] == [], why


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("D07AB09", "triamcinolone on the skin"),
        ("R01AD11", "triamcinolone in the nose"),
        ("R03BA06", "triamcinolone inhaled"),
        ("S01BA04", "prednisolone eye drops"),
        ("D10AF07", "minocycline on the skin"),
        ("A01AB23", "minocycline in the mouth"),
        ("D11AH09", "ruxolitinib cream"),
        ("D11AH01", "tacrolimus ointment"),
    ],
)
@pytest.mark.parametrize("agent", ["diltiazem", "warfarin", "methotrexate", "alendronate"])
def test_drugs_for_local_use_interact_with_nothing(agent: str, code: str, why: str) -> None:
    """An ATC code for local use is not the systemic drug of the same name."""
    regimen = next(iter(_KNOWLEDGE.agents[agent].regimens))
    assert _said(_ask(agent, regimen, _atc(code))) == {}, why


def test_local_use_of_the_agent_itself_is_no_duplicate() -> None:
    """Minocycline gel beside minocycline capsules is not the same drug twice."""
    found = {finding.id for finding in _ask("minocycline", None, _atc("D10AF07")).findings}
    assert not {"duplicate-drug", "duplicate-class"} & found


def test_an_allergy_to_a_cream_is_an_allergy_to_the_drug() -> None:
    """The exemption of local use is about interactions: who reacts to the cream does not get the capsule."""
    found = _ask("minocycline", None, allergies=[_atc("D10AF07")])
    assert Severity.CONTRAINDICATED in {finding.severity for finding in found.findings}


@pytest.mark.parametrize(
    ("former", "current", "agent"),
    [
        ("L01XC02", "L01FA01", "etanercept"),
        ("L04AA29", "L04AF01", "etanercept"),
        ("L04AA37", "L04AF02", "etanercept"),
        ("L04AA44", "L04AF03", "etanercept"),
        ("L04AA13", "L04AK01", "methotrexate"),
        ("L04AA10", "L04AH01", "diltiazem"),
        ("L04AA18", "L04AH02", "diltiazem"),
        ("L04AA27", "L04AE01", "diltiazem"),
        ("L04AA23", "L04AG03", "adalimumab"),
    ],
)
def test_a_former_atc_code_is_its_successor(former: str, current: str, agent: str) -> None:
    """Records of older systems carry codes that WHO has moved; the findings are those of the current code."""
    regimen = next(iter(_KNOWLEDGE.agents[agent].regimens))
    old, new = _said(_ask(agent, regimen, _atc(former))), _said(_ask(agent, regimen, _atc(current)))
    assert old
    assert old == new


@pytest.mark.parametrize(
    ("codings", "id_", "why"),
    [
        ([_rxnorm("11289"), _rxnorm("114194"), _atc("B01AA03"), "warfarin"], "interaction-A007", "warfarin and sodium"),
        ([_rxnorm("2683"), _atc("M04AC01"), "colchicine"], "interaction-A001", "colchicine"),
        ([_rxnorm("6902"), _rxnorm("155323"), "methylprednisolone"], "interaction-A004", "and a salt of it"),
        ([_rxnorm("36567"), _atc("C10AA01")], "interaction-B008", "simvastatin, none of our agents"),
        ([_rxnorm("3407"), _atc("C01AA05")], "interaction-B003", "digoxin"),
    ],
)
def test_an_ingredient_a_salt_and_an_atc_code_are_one_drug(codings: list[Any], id_: str, why: str) -> None:
    """However a drug is coded, the same row speaks."""
    assert [{id_}] * len(codings) == [set(_said(_ask("diltiazem", "calcinosis-overview", item))) for item in codings]


def test_no_drug_is_told_the_same_twice() -> None:
    """Of two rows with one effect only one fits a drug as closely, unless the dose decides which of them speaks."""
    told = set()
    for drug in set(_KNOWLEDGE.terminology.drugs_by_rxnorm.values()):
        given = substance(Coding(str(drug.rxnorm), RXNORM), _KNOWLEDGE.terminology)
        for agent in _KNOWLEDGE.agents.values():
            rows = [row for row in interactions.matching(agent, _KNOWLEDGE, given) if isinstance(row.when, Always)]
            if len({row.effect for row in rows}) < len(rows):
                told.add((drug.name, *(row.id for row in rows)))
    assert told == set()


def test_two_drugs_of_one_row_are_said_once() -> None:
    """Two beta blockers are one finding that names both and points at both."""
    said = _said(_ask("diltiazem", None, _rxnorm("6918"), _atc("C07AB03")))
    assert {"interaction-B001"} == set(said)
    finding = said["interaction-B001"]
    assert finding.because == ("patient.medications[0]", "patient.medications[1]")
    assert "metoprolol" in finding.summary


def test_weak_signals_of_one_mechanism_are_counted_and_said_once() -> None:
    """Digoxin and clonidine each slow the heart a little beside diltiazem: one finding says both."""
    said = _said(_ask("diltiazem", None, _rxnorm("3407"), _rxnorm("2599")))
    assert {"interactions-bradycardia"} == set(said)
    finding = said["interactions-bradycardia"]
    assert (
        finding.severity,
        finding.because,
    ) == (Severity.MODERATE, ("patient.medications[0]", "patient.medications[1]"))
    assert "digoxin" in finding.summary
    assert "clonidine" in finding.summary
    assert {"digoxin", "clonidine"} == {position.says for position in finding.positions}


def test_a_strong_signal_is_not_counted_away() -> None:
    """A contraindicated or major pair keeps its own finding beside weak ones of the same mechanism."""
    said = _said(_ask("diltiazem", None, _atc("C01EB17"), _rxnorm("3407"), _rxnorm("2599")))
    assert {"interaction-B002", "interactions-bradycardia"} == set(said)
    assert said["interaction-B002"].severity == Severity.CONTRAINDICATED


def test_the_same_drug_twice_and_its_class_are_duplicates() -> None:
    """The agent itself on the list, or another of its class that no row speaks about, is said as duplicate therapy."""
    twice = {finding.id for finding in _ask("alendronate", None, "alendronate").findings}
    assert "duplicate-drug" in twice
    spoken = {finding.id for finding in _ask("alendronate", None, "etidronate").findings}
    assert "interaction-A029" in spoken
    assert "duplicate-class" not in spoken
    alike = {finding.id for finding in _ask("prednisone", "review-adult-dermatomyositis", "prednisolone").findings}
    assert "duplicate-class" in alike


@pytest.mark.parametrize(
    ("agent", "regimen", "partner", "changes", "id_", "severity", "why"),
    [
        ("methotrexate", "cohort-first-line-oral", _atc("M01AE01"), _CHILD, "B201", "moderate", "16.2 mg weekly"),
        ("methotrexate", "cohort-first-line-oral", _atc("M01AE01"), {}, "B202", "major", "27.3 mg weekly"),
        ("methotrexate", "cohort-first-line-oral", _atc("A02BC01"), _CHILD, "B204", "moderate", "16.2 mg weekly"),
        ("methotrexate", "cohort-first-line-oral", _atc("A02BC01"), {}, "B204", "major", "27.3 mg weekly"),
        ("methotrexate", "cohort-first-line-oral", _atc("N02BA01"), _CHILD, "B203", "major", "16.2 mg weekly"),
        ("methotrexate", "cohort-first-line-oral", _atc("N02BA01"), {}, "B203", "contraindicated", "for pain"),
        ("methotrexate", "cohort-first-line-oral", _atc("B01AC06"), {}, "B203", "major", "against platelets"),
        ("methylprednisolone", "review-adult-pulse", "warfarin", {}, "A015", "moderate", "a pulse of 500 mg or more"),
    ],
)
def test_the_computed_dose_decides_the_grade(
    agent: str, regimen: str, partner: Any, changes: dict[str, Any], id_: str, severity: str, why: str
) -> None:
    """A row that counts the dose reads it from this very answer."""
    said = _said(_ask(agent, regimen, partner, **changes))
    assert severity == said[f"interaction-{id_}"].severity.value, why


@pytest.mark.parametrize(("asked", "listed"), [("diltiazem", "colchicine"), ("colchicine", "diltiazem")])
def test_kidneys_raise_the_grade_in_both_directions(asked: str, listed: str) -> None:
    """Diltiazem with colchicine is forbidden below 30 mL/min, whichever of the two is being ordered."""
    regimen = next(iter(_KNOWLEDGE.agents[asked].regimens))
    failing = [{"code": "2164-2", "value": Decimal(25), "unit": "mL/min"}]
    said = _said(_ask(asked, regimen, listed, observations=failing))
    assert said["interaction-A001"].severity == Severity.CONTRAINDICATED


def test_what_leaves_a_grade_open_is_named() -> None:
    """Without creatinine the pair stands at its base grade, and the answer says what would raise it."""
    answer = _ask("diltiazem", "calcinosis-overview", "colchicine", observations=[])
    assert _said(answer)["interaction-A001"].severity == Severity.MAJOR
    needs = {need for item in answer.not_checked if "interaction-A001" in item.why for need in item.needs}
    assert "patient.observations[2160-0]" in needs


def test_without_a_list_of_medication_nothing_is_called_safe() -> None:
    """No list is not an empty list: the answer says that interactions were not checked."""
    body = {"agent": "alendronate", "patient": {"age": _quantity(40, "a")}}
    answer = service.calculate_dose(dose_request(body), _KNOWLEDGE)
    assert ("interactions", ("patient.medications",)) in {(item.check, item.needs) for item in answer.not_checked}


def test_a_drug_that_nothing_knows_is_listed() -> None:
    """An unknown code is named as not checked, never dropped."""
    answer = _ask("alendronate", None, _rxnorm("999999999"))
    assert ("drugs", ("patient.medications[0]",)) in {(item.check, item.needs) for item in answer.not_checked}


def test_every_agent_can_be_asked(knowledge: KnowledgeBase) -> None:
    """The sweep above leaves no agent out that any row names."""
    named = {agent for row in _ROWS.values() for agent in row.agents | row.partner.agents}
    assert named <= set(knowledge.agents)
    for agent in sorted(named):
        try:
            _ask(agent, next(iter(knowledge.agents[agent].regimens), None))
        except InvalidRequest as error:  # pragma: no cover - only when the adult above lacks an input
            pytest.fail(f"{agent}: {error}")
