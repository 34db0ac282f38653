"""Volumes, rates and times of a table that was worked out by hand, and what is said of ordered infusions."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dosing_service import service
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.model import Assessment, Dose, InfusionPlan, OrderedInfusion, Quantity, Severity, Verdict
from dosing_service.rules.infusion import check
from schemas.reading import dose_request

Row = dict[str, str]

with (Path(__file__).parent / "infusions.csv").open(encoding="utf-8", newline="") as _file:
    _ROWS = list(csv.DictReader(_file))
#: Quotients in the table that do not terminate are written to twelve digits.
_TOLERANCE = Decimal("1e-9")


def answer_of(row: Row, knowledge: KnowledgeBase) -> Assessment:
    """Return the answer to the request of a row; a person without allergies, medication or other diagnoses."""
    conditions = {"none": {"conditions": []}, "unknown": {}}.get(row["conditions"], {"conditions": [row["conditions"]]})
    patient = {
        "age": {"value": Decimal(row["age"]), "unit": "a"},
        "weight": {"value": Decimal(row["kg"]), "unit": "kg"},
        "height": {"value": Decimal(170), "unit": "cm"},
        "allergies": [],
        "medications": [],
    } | conditions
    options: dict[str, Any] = {"include_contraindicated": True}
    options |= {"product": row["product"]} if row["product"] else {}
    options |= {"divided_over_days": Decimal(row["days"])} if row["days"] else {}
    body: dict[str, Any] = {"agent": row["agent"], "patient": patient, "options": options}
    body |= {"regimen": row["regimen"]} if row["regimen"] else {}
    return service.calculate_dose(dose_request(body), knowledge)


def planned(row: Row, knowledge: KnowledgeBase) -> tuple[Dose, InfusionPlan]:
    """Return the dose of a row and how it runs in."""
    dose = answer_of(row, knowledge).dose
    assert dose is not None
    assert dose.infusion is not None
    return dose, dose.infusion


def at(node: Any, path: str) -> Any:
    """Return the value at a path such as ``maxima.0.rate``."""
    for part in path.split("."):
        node = node[int(part)] if part.isdigit() else node[part]
    return node


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row["case"])
def test_infusion_is_that_of_the_table(row: Row, knowledge: KnowledgeBase) -> None:
    """One figure of the plan, or that it is not known."""
    _, plan = planned(row, knowledge)
    found = at(msgspec.to_builtins(plan, builtin_types=(Decimal,)), row["field"])
    if not row["expected"]:
        assert found is None, row["why"]
        return
    assert abs(found - Decimal(row["expected"])) <= _TOLERANCE * Decimal(row["expected"]), row["why"]


def test_table_is_large_enough() -> None:
    """The table has twenty-five rows or more, and no case stands in it twice."""
    names = [row["case"] for row in _ROWS]
    assert len(names) == len(set(names)) >= 25


# ---------------------------------------------------------------- what an ordered infusion is told

IVIG = {"agent": "ivig", "regimen": "", "age": "50", "kg": "70.5", "product": "solution-10-percent-200ml", "days": "2"}
MYELOMA = {"agent": "pamidronate", "regimen": "label-myeloma", "age": "50", "kg": "70", "product": "", "days": ""}
DIALYSIS = {
    "agent": "sodium-thiosulfate",
    "regimen": "intravenous-calciphylaxis-dialysis",
    "age": "50",
    "kg": "70",
    "product": "vial-25g",
    "days": "",
}
ILOPROST = {
    "agent": "iloprost",
    "regimen": "label-raynaud-ischaemia",
    "age": "50",
    "kg": "70",
    "product": "",
    "days": "",
}
CEFTRIAXONE = {"agent": "ceftriaxone", "regimen": "", "age": "50", "kg": "70", "product": "", "days": ""}
APPLIES, POSSIBLE = Verdict.APPLIES, Verdict.POSSIBLE
FAST, SLOW = "infusion-too-fast", "infusion-too-slow"
MAJOR, MODERATE, MINOR = Severity.MAJOR, Severity.MODERATE, Severity.MINOR

# Each row: the regimen, conditions, amount, minutes, rate, its unit, the finding expected, and why.
ORDERS: list[tuple[Any, ...]] = [
    (IVIG, "none", "70.5 g", "250", None, None, None, "705 mL at 169.2 mL/h take exactly 250 minutes"),
    (IVIG, "none", "70.5 g", "249", None, None, (FAST, MAJOR, APPLIES), "a minute less is above 0.04 mL/kg/min"),
    (IVIG, "none", "141 g", "420", None, None, (FAST, MAJOR, APPLIES), "the calculator's 7 h for 1,410 mL; 500 needed"),
    (IVIG, "none", "70.5 g", None, "169.2", "mL/h", None, "exactly the highest rate"),
    (IVIG, "none", "70.5 g", None, "169.3", "mL/h", (FAST, MAJOR, APPLIES), "a little above it"),
    (IVIG, "none", "70.5 g", None, "0.04", "mL/kg/min", None, "exactly the highest rate, per kg"),
    (IVIG, "none", "70.5 g", None, "0.12", "mL/kg/min", (FAST, MAJOR, APPLIES), "the rate for another disease"),
    (IVIG, "none", "70.5 g", None, "2.82", "mL/min", None, "0.04 x 70.5 mL a minute"),
    (IVIG, "none", "70.5 g", None, "4", "mg/kg/min", None, "4 mg/kg/min of 100 mg/mL are 0.04 mL/kg/min"),
    (IVIG, "none", "70.5 g", None, "4.1", "mg/kg/min", (FAST, MAJOR, APPLIES), "above it"),
    (IVIG, "unknown", "70.5 g", None, "150", "mL/h", (FAST, MAJOR, POSSIBLE), "above 126.9 mL/h, if there is a risk"),
    (IVIG, "unknown", "70.5 g", None, "180", "mL/h", (FAST, MAJOR, APPLIES), "too fast whether or not there is a risk"),
    (IVIG, "unknown", "70.5 g", None, "120", "mL/h", None, "slow enough for everyone"),
    (IVIG, "unknown", "70.5 g", "300", None, None, (FAST, MAJOR, POSSIBLE), "333.3 minutes needed, if there is a risk"),
    (IVIG, "diabetes-mellitus", "70.5 g", "300", None, None, (FAST, MAJOR, APPLIES), "a risk: 705 / 126.9 h"),
    (MYELOMA, "none", "90 mg", "240", None, None, None, "exactly 4 h"),
    (MYELOMA, "none", "90 mg", "120", None, None, (FAST, MAJOR, APPLIES), "2 h instead of at least 4 h"),
    (MYELOMA, "none", "90 mg", "1500", None, None, None, "no longest time is documented"),
    (DIALYSIS, "none", "25 g", "30", None, None, None, "30 to 60 minutes"),
    (DIALYSIS, "none", "25 g", "29.9", None, None, (FAST, MAJOR, APPLIES), "shorter than the range"),
    (DIALYSIS, "none", "25 g", "61", None, None, (SLOW, MINOR, APPLIES), "longer than the range"),
    (DIALYSIS, "none", "25 g", None, "300", "mL/h", (FAST, MAJOR, APPLIES), "100 mL in 20 minutes"),
    (DIALYSIS, "none", "25 g", None, "50", "g/h", None, "25 g in 30 minutes"),
    (DIALYSIS, "none", "25 g", None, "20", "g/h", (SLOW, MINOR, APPLIES), "25 g in 75 minutes"),
    (
        CEFTRIAXONE,
        "none",
        "2 g",
        "10",
        None,
        None,
        (FAST, MODERATE, APPLIES),
        "30 minutes is how it is given, no bound",
    ),
    (CEFTRIAXONE, "none", "2 g", "45", None, None, None, "slower than usual is no fault"),
    (ILOPROST, "none", "0.05 mg", None, "2", "ng/kg/min", None, "the highest rate"),
    (ILOPROST, "none", "0.05 mg", None, "2.5", "ng/kg/min", (FAST, MAJOR, APPLIES), "above it"),
    (ILOPROST, "none", "0.05 mg", None, "42", "mL/h", None, "70 x 2 x 60 / 200"),
    (ILOPROST, "none", "0.05 mg", None, "43", "mL/h", (FAST, MAJOR, APPLIES), "above it"),
    (ILOPROST, "none", "0.05 mg", "180", None, None, None, "3 h a day is a shorter treatment, not a faster one"),
]


def ordered(minutes: str | None, rate: str | None, unit: str | None) -> OrderedInfusion:
    """Return an ordered infusion."""
    return OrderedInfusion(Decimal(minutes) if minutes else None, Decimal(rate) if rate else None, unit)


def quantity(text: str) -> Quantity:
    """Return ``25 g`` as a quantity."""
    value, unit = text.split()
    return Quantity(Decimal(value), unit)


@pytest.mark.parametrize("row", ORDERS, ids=lambda row: f"{row[0]['agent']}: {row[-1]}")
def test_ordered_infusion_is_judged(row: tuple[Any, ...], knowledge: KnowledgeBase) -> None:
    """Too fast, too slow or neither; with risk factors unknown, what only they would forbid is possible."""
    of, conditions, amount, *time_and_rate, expected, why = row
    _, plan = planned(of | {"conditions": conditions}, knowledge)
    found, open_points = check(plan, quantity(amount), Decimal(of["kg"]), ordered(*time_and_rate))
    assert [(item.id, item.severity, item.verdict) for item in found] == ([expected] if expected else []), why
    assert open_points == []


UNSETTLED: list[tuple[dict[str, str], Decimal | None, OrderedInfusion, list[tuple[str, tuple[str, ...]]], str]] = [
    (
        IVIG | {"product": ""},
        Decimal("70.5"),
        ordered("60", None, None),
        [("infusion-time", ("options.product",))],
        "no strength",
    ),
    (IVIG, None, ordered(None, "1", "mg/kg/min"), [("infusion-rate", ("patient.weight",))], "no weight"),
    (IVIG, Decimal("70.5"), ordered(None, "1", "drops/min"), [("infusion-rate", ())], "a unit that is no rate here"),
    (IVIG, Decimal("70.5"), ordered(None, "1", "mL/fortnight"), [("infusion-rate", ())], "a time that is none"),
    (IVIG, Decimal("70.5"), ordered(None, "1", "mL"), [("infusion-rate", ())], "a volume is no rate"),
    (MYELOMA, Decimal(70), ordered(None, "100", "mL/h"), [("infusion-time", ())], "the volume made up is a range"),
    (MYELOMA, Decimal(70), ordered(None, None, None), [("infusion-time", ())], "neither time nor rate"),
]


@pytest.mark.parametrize(("of", "kg", "order", "expected", "why"), UNSETTLED)
def test_what_cannot_be_judged_is_said(
    of: Row,
    kg: Decimal | None,
    order: OrderedInfusion,
    expected: list[tuple[str, tuple[str, ...]]],
    why: str,
    knowledge: KnowledgeBase,
) -> None:
    """Without strength, weight or a readable rate nothing is concluded, and the field that would help is named."""
    dose, plan = planned(of | {"conditions": "none"}, knowledge)
    own = dose.amounts[-1]
    found, open_points = check(plan, Quantity(own.high, own.unit), kg, order)
    assert (found, [(item.check, item.needs) for item in open_points]) == ([], expected), why


def test_possible_finding_names_what_would_settle_it(knowledge: KnowledgeBase) -> None:
    """A rate that only a risk factor would forbid points to the diagnoses."""
    _, plan = planned(IVIG | {"conditions": "unknown"}, knowledge)
    ((finding,), _) = check(plan, quantity("70.5 g"), Decimal("70.5"), ordered(None, "150", "mL/h"))
    assert finding.because == ("patient.conditions",)


# ---------------------------------------------------------------- what is not known of an infusion

OPEN = [
    (IVIG | {"conditions": "none", "product": ""}, "infusion-volume", ("options.product",), "5 and 10 percent differ"),
    (IVIG | {"conditions": "unknown"}, "infusion-rate", ("patient.conditions",), "risk factors are unknown"),
    (IVIG | {"conditions": "none", "product": "solution-5-percent-50ml"}, "infusion-rate", (), "no rate for 5 percent"),
    (DIALYSIS | {"conditions": "none", "product": ""}, "infusion-volume", ("options.product",), "250 and 500 mg/mL"),
    (
        {"agent": "rituximab", "regimen": "review-adult-myositis", "age": "50", "kg": "70", "conditions": "none"}
        | {"product": "", "days": ""},
        *("infusion", (), "neither time nor rate is documented"),
    ),
]


@pytest.mark.parametrize(("row", "name", "needs", "why"), OPEN)
def test_open_points_of_an_infusion_are_listed(
    row: Row, name: str, needs: tuple[str, ...], why: str, knowledge: KnowledgeBase
) -> None:
    """What cannot be said about an infusion stands under not_checked with the field that would settle it."""
    answer = answer_of(row, knowledge)
    assert (name, needs) in [(item.check, item.needs) for item in answer.not_checked], why


def test_rate_per_kg_counts_on_the_smaller_weight(knowledge: KnowledgeBase) -> None:
    """Dosed by ideal weight, a heavy woman's rate is counted on that; 152.4 cm give 45.5 kg, so 0.04 x 45.5 x 60."""
    body = {
        "agent": "ivig",
        "patient": {
            "age": {"value": Decimal(50), "unit": "a"},
            "sex": "female",
            "weight": {"value": Decimal(90), "unit": "kg"},
            "height": {"value": Decimal("152.4"), "unit": "cm"},
            "conditions": [],
        },
        "options": {"dosing_weight": "ideal"},
    }
    dose = service.calculate_dose(dose_request(body), knowledge).dose
    assert dose is not None
    assert dose.infusion is not None
    assert dose.infusion.maxima[0].ml_per_hour == Decimal("109.2")


def test_shortest_time_is_read_rounded_up(knowledge: KnowledgeBase) -> None:
    """470 mL at 169.2 mL/h take 166.67 minutes: a reader is told 2 hours 47 minutes, not less."""
    _, plan = planned(IVIG | {"conditions": "none", "days": "3"}, knowledge)
    assert plan.maxima[0].shortest[1].text == "at least 2 hours 47 minutes on each of 3 days"


def test_limit_of_a_rate_is_in_the_unit_of_its_value(knowledge: KnowledgeBase) -> None:
    """0.04 mL/kg/min for 70.5 kg is a maximum of 2.82 mL/min, and is written so."""
    dose, _ = planned(IVIG | {"conditions": "none"}, knowledge)
    (limit,) = [item for item in dose.limits if item.kind == "rate-maximum"]
    assert (limit.value, limit.unit) == (Decimal("2.82"), "mL/min")
