"""Each entry of the conflict register stands with the agents it is about, and with no other."""

from decimal import Decimal
from typing import Any

import pytest

from dosing_service import service
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Category
from schemas.reading import dose_request

#: Agent, and the entries that an adult and a child must see; written from the register, not from the agents' files.
_REGISTER = {
    "abatacept": ({"C19"}, {"C19"}),
    "alendronate": ({"C09", "C21"}, {"C09", "C21"}),
    "aluminium-hydroxide": ({"C08"}, {"C08"}),
    "baricitinib": (set(), {"C18"}),
    "ceftriaxone": ({"C07"}, {"C07"}),
    "colchicine": ({"C17"}, {"C17"}),
    "diltiazem": ({"C04"}, {"C04"}),
    "etidronate": ({"C05", "C21"}, {"C05", "C21"}),
    "ivig": ({"C03"}, {"C03"}),
    "methotrexate": ({"C14"}, {"C14"}),
    "minocycline": ({"C10"}, {"C10"}),
    "mycophenolate": ({"C15"}, {"C15"}),
    "pamidronate": ({"C01", "C21"}, {"C01", "C21"}),
    "prednisolone": ({"C13"}, {"C13"}),
    "prednisone": ({"C13"}, {"C13"}),
    "probenecid": ({"C06", "C21"}, {"C06", "C21"}),
    "rituximab": ({"C16"}, {"C16"}),
    "ruxolitinib": (set(), {"C18"}),
    "sodium-thiosulfate": ({"C11", "C12"}, {"C12"}),
    "tofacitinib": (set(), {"C18"}),
    "treprostinil": ({"C20"}, {"C20"}),
    "warfarin": ({"C02", "C21", "C22"}, {"C02", "C21", "C22"}),
}
_ADULT = {"age": {"value": Decimal(50), "unit": "a"}, "weight": {"value": Decimal(70), "unit": "kg"}}
_CHILD = {"age": {"value": Decimal(9), "unit": "a"}, "weight": {"value": Decimal(25), "unit": "kg"}}


def _found(knowledge: KnowledgeBase, agent: str, patient: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"agent": agent, "patient": patient | {"height": {"value": Decimal(160), "unit": "cm"}}} | more
    findings = service.calculate_dose(dose_request(body), knowledge).findings
    return {finding.id: finding for finding in findings if finding.category is Category.DISAGREEMENT}


def test_register_is_complete() -> None:
    """C01 to C22 are all there."""
    seen = set().union(*(adult | child for adult, child in _REGISTER.values()))
    assert {f"C{number:02}" for number in range(1, 23)} == seen


def test_entries_stand_where_they_should(knowledge: KnowledgeBase) -> None:
    """For every agent, an adult and a child see exactly the entries that concern them."""
    for agent in knowledge.agents:
        adult, child = _REGISTER.get(agent, (set(), set()))
        assert (agent, adult) == (agent, set(_found(knowledge, agent, _ADULT)))
        assert (agent, child) == (agent, set(_found(knowledge, agent, _CHILD)))


@pytest.mark.parametrize(
    ("agent", "regimen", "absent", "why"),
    [
        (
            "pamidronate",
            "calcinosis-monthly-series",
            "C01",
            "whoever takes the monthly dose need not hear of the weekly",
        ),
        ("sodium-thiosulfate", "topical-25-percent", "C11", "an ointment has no milligrams per millilitre"),
        ("sodium-thiosulfate", "topical-25-percent", "C12", "an ointment is not infused"),
        ("sodium-thiosulfate", "intralesional-150-weekly", "C12", "an injection into a lesion is not infused"),
    ],
)
def test_entry_is_silent_for_another_regimen(
    knowledge: KnowledgeBase, agent: str, regimen: str, absent: str, why: str
) -> None:
    """An entry about one way of giving an agent does not stand beside another."""
    assert absent not in _found(knowledge, agent, _ADULT, regimen=regimen), why


@pytest.mark.parametrize(
    ("id_", "agent", "patient", "figures"),
    [
        ("C01", "pamidronate", _ADULT, ["4,680 mg in a year", "720 mg in a year"]),
        ("C03", "ivig", _ADULT | {"sex": "male"}, ["140 g per course"]),
        ("C03", "ivig", _CHILD, ["50 g per course"]),
        ("C04", "diltiazem", _ADULT, ["140 to 280 mg daily", "240 to 480 mg daily"]),
        ("C05", "etidronate", _ADULT, ["11.43 mg/kg daily"]),
        ("C06", "probenecid", _CHILD, ["60 mg/kg daily", "1,000 mg daily"]),
        ("C07", "ceftriaxone", _CHILD, ["80 mg/kg daily", "1,250 to 1,875 mg daily"]),
        ("C10", "minocycline", _ADULT, ["700 to 1,400 days"]),
        ("C14", "methotrexate", _CHILD, ["15.81 to 21.08 mg weekly"]),
        ("C15", "mycophenolate", _CHILD, ["250 mg", "632.5 mg"]),
        ("C19", "abatacept", _ADULT, ["700 mg", "750 mg"]),
    ],
)
def test_entry_carries_the_numbers_of_the_patient(
    knowledge: KnowledgeBase, id_: str, agent: str, patient: dict[str, Any], figures: list[str]
) -> None:
    """What each side comes to is worked out for this patient (by hand: 2 g/kg x 70 kg, 800 mg / 70 kg, and so on)."""
    texts = " | ".join(position.text for position in _found(knowledge, agent, patient)[id_].positions)
    assert [figure for figure in figures if figure not in texts] == [], texts


def test_ideal_weight_is_that_of_the_worked_example(knowledge: KnowledgeBase) -> None:
    """80 kg and 175 cm, a man: 160 g by actual, 148.6 g by adjusted, 140.9 g by ideal weight."""
    man = {
        "age": {"value": Decimal(50), "unit": "a"},
        "sex": "male",
        "weight": {"value": Decimal(80), "unit": "kg"},
        "height": {"value": Decimal(175), "unit": "cm"},
    }
    found = service.calculate_dose(dose_request({"agent": "ivig", "patient": man}), knowledge).findings
    texts = [position.text for finding in found if finding.id == "C03" for position in finding.positions]
    assert {"160 g per course", "148.6 g per course", "140.9 g per course"} <= set(texts)


def test_position_for_another_population_says_so(knowledge: KnowledgeBase) -> None:
    """A child is shown the adults' figure of a series as what it is."""
    texts = [position.text for position in _found(knowledge, "diltiazem", _CHILD)["C04"].positions]
    assert any("240 to 480 mg daily" in text and "documented for adult, not for this patient" in text for text in texts)
