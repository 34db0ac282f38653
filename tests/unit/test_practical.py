"""Rounding to products in cases that no documented regimen shows: figures and maxima are made up for the rule."""

from dataclasses import replace
from decimal import Decimal

import pytest

from dosing_service.knowledge.base import Agent, DoseFigure, Effect, KnowledgeBase, Limit, Regimen
from dosing_service.model import Basis, Options, Patient, Per, PracticalDose, PracticalStatus
from dosing_service.rules.dose import Computed, compute
from dosing_service.rules.practical import practical
from dosing_service.units import DOSE_UNITS

PER_DAY = DOSE_UNITS["mg/d"]


def _made_of(
    agent: Agent, product: str, *, low: str, high: str, most: str | None = None, times: int = 1
) -> tuple[PracticalDose, ...]:
    """Return ``low`` to ``high`` mg daily, with a maximum or none, made of one product."""
    any_regimen = next(item for item in agent.regimens.values() if item.per is Per.DAY)
    limits = () if most is None else (_maximum(any_regimen, Decimal(most)),)
    regimen = replace(
        any_regimen,
        basis=Basis.FIXED,
        figure=DoseFigure(Decimal(low), Decimal(high), PER_DAY, Per.DAY),
        bands=(),
        amount_unit="mg",
        frequency=None,
        limits=limits,
    )
    options = Options(product=product, times_per_day=times)
    computed = compute(regimen, Patient(), options, agent.products[product])
    assert isinstance(computed, Computed)
    return practical(agent, regimen, computed, Patient(), options, agent.products[product]).doses or ()


def _maximum(regimen: Regimen, value: Decimal) -> Limit:
    return Limit("daily-maximum", value, PER_DAY, Effect.CAP, None, None, None, None, None, None, regimen.citations)


@pytest.mark.parametrize(
    ("low", "high", "most", "status", "achieved", "deviation", "why"),
    [
        ("95", "95", None, "rounded", "90", "-5.26315789474", "90 and 100 are both 5 away: the tie goes down"),
        ("96", "96", None, "rounded", "100", "4.16666666667", "100 is nearer"),
        ("96", "96", "98", "rounded", "90", "-6.25", "100 is nearer and above the maximum of 98; 90 is near enough"),
        ("96", "96", "100", "rounded", "100", "4.16666666667", "exactly the maximum is allowed"),
        ("45", "45", None, "not-makeable", None, None, "40 and 50 are both 11.1 percent off"),
        ("11", "11", None, "rounded", "10", "-9.09090909091", "10 is 9.1 percent below"),
        ("9", "9", None, "not-makeable", None, None, "10 is 11.1 percent above, and nothing is below"),
        ("100", "100", None, "exact", "100", "0", "10 tablets"),
        ("91", "99", None, "rounded", "90", "-1.0989010989", "90 and 100 are both 1 away from the range: down"),
        ("92", "99", None, "rounded", "100", "1.0101010101", "100 is 1 away, 90 is 2"),
        (
            "125",
            "125",
            None,
            "not-makeable",
            None,
            None,
            "12 tablets are 120: more are not offered, although 4 percent",
        ),
    ],
)
def test_tablets_of_10_mg(
    knowledge: KnowledgeBase,
    low: str,
    high: str,
    most: str | None,
    status: str,
    achieved: str | None,
    deviation: str | None,
    why: str,
) -> None:
    """The nearer of the neighbours, if it is within a tenth and not above the maximum; a tie goes down."""
    (entry,) = _made_of(knowledge.agents["prednisone"], "tablet-10", low=low, high=high, most=most)
    assert entry.status.value == status, why
    assert (entry.achieved.value if entry.achieved else None) == (Decimal(achieved) if achieved else None), why
    assert entry.deviation_percent == (Decimal(deviation) if deviation else None), why


@pytest.mark.parametrize(
    ("amount", "most", "volume", "why"),
    [
        ("10.15", None, "10.1", "10.15 mL lies between 10.1 and 10.2: the tie goes down"),
        ("10.16", None, "10.2", "nearer to 10.2"),
        ("10.16", "10.18", "10.1", "10.2 mg would pass the maximum"),
        ("0.995", None, "0.99", "below 1 mL in hundredths; the tie goes down"),
        ("0.996", None, "1", "nearer to 1.00"),
        ("1", None, "1", "as it is"),
    ],
)
def test_liquid_of_1_mg_per_ml(knowledge: KnowledgeBase, amount: str, most: str | None, volume: str, why: str) -> None:
    """A tenth of a millilitre from 1 mL on, a hundredth below; ties and what would pass the maximum go down."""
    (entry,) = _made_of(knowledge.agents["prednisolone"], "oral-solution-1", low=amount, high=amount, most=most)
    assert entry.volume_ml == Decimal(volume), why


def test_end_of_zero_is_not_drawn(knowledge: KnowledgeBase) -> None:
    """Of a range from 0 on, the volume of the upper end is given; nothing is drawn for 0 mg."""
    (entry,) = _made_of(knowledge.agents["prednisolone"], "oral-solution-1", low="0", high="20")
    assert (entry.wanted.low, entry.wanted.high, entry.volume_ml) == (20, 20, 20)


def test_range_from_zero_takes_a_piece(knowledge: KnowledgeBase) -> None:
    """Of a range from 0 on, one piece is taken: no piece at all is no dose."""
    (entry,) = _made_of(knowledge.agents["prednisone"], "tablet-10", low="0", high="20")
    assert (entry.status, entry.per_administration) == (PracticalStatus.EXACT, "1 tablet of 10 mg")


def test_daily_amount_is_compared_whole(knowledge: KnowledgeBase) -> None:
    """100 mg in three parts is 33.33 mg each time; 30 x 3 = 90 is 10 percent below 100 (and 40 x 3 is 20 above)."""
    (entry,) = _made_of(knowledge.agents["prednisone"], "tablet-10", low="100", high="100", times=3)
    assert (entry.per_administration, entry.deviation_percent) == ("3 tablets of 10 mg", -10)
