"""The value sets of diagnoses: what a code stands for, what it only suggests, and what no code can say."""

from pathlib import Path
from typing import Any

import pytest

from dosing_service.knowledge import load, safety_loader, yaml_reader
from dosing_service.knowledge.safety import HasCondition
from dosing_service.model import Coding, Patient
from dosing_service.rules.conditions import Context, evaluate
from dosing_service.rules.facts import Facts
from dosing_service.rules.population import Answer
from dosing_service.systems import ICD10, SNOMED

_KNOWLEDGE = load()
_TERMINOLOGY = _KNOWLEDGE.terminology
_RECORDS: dict[str, Any] = yaml_reader.read(
    (Path(safety_loader.__file__).parent / "terminology" / "conditions.yaml").read_text("utf-8")
)

#: The dihedral group of Verhoeff's check digit, which ends every SNOMED CT code.
_PRODUCT = [[(a + b) % 5 + 5 * (b > 4) if a < 5 else (a - b) % 5 + 5 * (b < 5) for b in range(10)] for a in range(10)]
_PERMUTED = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def _checksum(code: str) -> int:
    sum_ = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTED[value]
        sum_ = _PRODUCT[sum_][value]
    return sum_


def _answer(id_: str, *codings: Coding) -> Answer:
    facts = Facts(Patient(conditions=codings), _TERMINOLOGY)
    return evaluate(HasCondition(id_, ""), Context(facts, None, None, None)).answer


def _icd(code: str) -> Coding:
    return Coding(code, ICD10)


def test_every_snomed_code_has_its_check_digit() -> None:
    """A code that was mistyped stands for something else, or for nothing."""
    codes = {
        code
        for record in _RECORDS.values()
        for code in (*record["snomed"], *record.get("suggested_by", {}).get("snomed", ()))
    }
    assert [code for code in sorted(codes) if _checksum(code)] == []
    assert _checksum("19943008")


def test_what_a_list_of_ids_leaves_out_is_not_there() -> None:
    """Ids can say everything, and so can the empty list, which says that there is nothing."""
    assert [
        _answer("live-vaccine-planned", *listed)
        for listed in [(), (Coding("osteoporosis"),), (Coding("live-vaccine-planned"),)]
    ] == [Answer.NO, Answer.NO, Answer.YES]


@pytest.mark.parametrize("entry", [_icd("M33.10"), Coding("396230008", SNOMED), Coding("a name that nobody knows")])
def test_what_no_code_can_say_stays_open_in_a_list_of_codes(entry: Coding) -> None:
    """No code says that a live vaccine is planned: that a list of codes is silent about it means nothing."""
    assert _answer("live-vaccine-planned", entry) is Answer.UNKNOWN
    assert _answer("live-vaccine-planned", entry, Coding("live-vaccine-planned")) is Answer.YES


@pytest.mark.parametrize(
    ("id_", "code", "expected", "why"),
    [
        ("malignant-neoplasm", "C50.911", Answer.YES, "breast cancer lies between C00 and C96"),
        ("malignant-neoplasm", "C96.9", Answer.YES, "the last category of the range"),
        ("malignant-neoplasm", "C4A.9", Answer.YES, "Merkel cell carcinoma has a category with a letter"),
        ("malignant-neoplasm", "D05.10", Answer.NO, "carcinoma in situ lies in another chapter"),
        ("uric-acid-kidney-stone", "N20.0", Answer.UNKNOWN, "a kidney stone of some kind"),
        ("uric-acid-kidney-stone", "M33.10", Answer.NO, "no stone at all"),
        ("valvular-heart-disease", "I35.0", Answer.UNKNOWN, "whether it matters is not in the code"),
        ("calciphylaxis", "E83.59", Answer.UNKNOWN, "one of several disorders of calcium"),
        ("calciphylaxis", "E83.51", Answer.NO, "hypocalcaemia is another one"),
        ("cows-milk-allergy", "Z91.011", Answer.YES, "milk products, a part of what suggests it"),
        ("cows-milk-allergy", "Z91.018", Answer.UNKNOWN, "an allergy to some food"),
    ],
)
def test_a_code_says_suggests_or_excludes(id_: str, code: str, expected: Answer, why: str) -> None:
    """A code of the set is yes, a broader one leaves it open, any other is no."""
    assert _answer(id_, _icd(code)) is expected, why


@pytest.mark.parametrize(
    ("snomed", "icd"),
    [
        ("19943007", "K74.60"),
        ("19943007", "K74.69"),
        ("328383001", "K73.9"),
        ("59927004", "K72.90"),
        ("197270009", "K72.00"),
        ("431857002", "N18.4"),
        ("433146000", "N18.5"),
        ("46177005", "N18.6"),
        ("105502003", "Z99.2"),
        ("84114007", "I50.9"),
        ("49436004", "I48.91"),
        ("195967001", "J45.909"),
        ("307496006", "K57.92"),
        ("73211009", "E11.9"),
        ("197354009", "K71.9"),
        ("420054005", "K70.30"),
        ("38341003", "I10"),
        ("128053003", "I82.409"),
        ("59282003", "I26.99"),
        ("56717001", "A15.0"),
        ("91302008", "A41.9"),
        ("4740000", "B02.9"),
        ("86406008", "B20"),
        ("66071002", "B19.10"),
        ("190979003", "D80.2"),
        ("90560007", "M10.9"),
        ("24700007", "G35"),
        ("37796009", "G43.909"),
        ("234532001", "D84.9"),
        ("363346000", "C80.1"),
        ("95570007", "N20.0"),
        ("60573004", "I35.0"),
        ("18165001", "R17"),
        ("84828003", "D72.819"),
        ("233604007", "J18.9"),
        ("395507008", "P07.30"),
    ],
)
def test_a_disease_is_the_same_in_both_systems(snomed: str, icd: str) -> None:
    """Every rule of every agent answers a diagnosis alike, whichever system the record speaks."""
    assert _of_all_rules(Coding(snomed, SNOMED)) == _of_all_rules(_icd(icd))


def _of_all_rules(coding: Coding) -> dict[tuple[str, str], Answer]:
    context = Context(Facts(Patient(conditions=(coding,)), _TERMINOLOGY), None, None, None)
    return {
        (agent.id, rule.id): evaluate(rule.when, context).answer
        for agent in _KNOWLEDGE.agents.values()
        for rule in agent.safety.rules
    }


def test_a_stated_class_excludes_the_others() -> None:
    """Cirrhosis leaves all three classes of Child and Pugh open until one of them is stated."""
    cirrhosis = _icd("K74.60")
    classes = ("child-pugh-a", "child-pugh-b", "child-pugh-c")
    assert [_answer(id_, cirrhosis) for id_ in classes] == [Answer.UNKNOWN] * 3
    stated = [_answer(id_, cirrhosis, Coding("child-pugh-b")) for id_ in classes]
    assert stated == [Answer.NO, Answer.YES, Answer.NO]


def test_a_code_that_nothing_knows_may_be_what_has_no_code_in_its_system() -> None:
    """Systemic mycoses are known by ICD-10-CM alone here: a SNOMED CT code that no set has may be one of them, and one
    that stands for something else is not.
    """
    assert _answer("systemic-fungal-infection", Coding("396275006", SNOMED)) is Answer.UNKNOWN
    assert _answer("systemic-fungal-infection", Coding("396230008", SNOMED)) is Answer.NO
    assert _answer("systemic-fungal-infection", _icd("M17.0")) is Answer.NO
