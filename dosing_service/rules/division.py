"""Into how many administrations a regimen's own amount is divided, where the source or the caller says so."""

from decimal import Decimal
from functools import cache

from dosing_service.knowledge.base import Regimen
from dosing_service.model import Per, Value
from dosing_service.rules.schedule import Conversion, plan


class Division(Value, frozen=True):
    """``times`` administrations make up one of the regimen's own amounts; ``suffix`` says how often in words.

    ``in_course`` counts the administrations of a whole course, ``None`` where its length is not fixed.
    """

    times: int
    per_day: int | None
    suffix: str
    in_course: int | None


@cache
def division(regimen: Regimen, times_per_day: int | None, divided_over_days: int | None) -> Division | None:
    """Return the division of a regimen with the caller's wishes; ``None`` where it is open.

    A documented range (3 to 4 times daily) is open until the caller chooses.
    """
    schedule = plan(regimen, times_per_day, divided_over_days)
    if regimen.per is Per.ADMINISTRATION:
        return Division(1, schedule.times_per_day, schedule.suffix, _in_course(schedule.conversions, 1))
    parts = [item for item in schedule.conversions if item.per is Per.ADMINISTRATION and item.divides]
    if len(parts) != 1 or parts[0].low != parts[0].high:
        return None
    times = int(parts[0].low)
    in_course = times if regimen.per is Per.COURSE else _in_course(schedule.conversions, times)
    return Division(times, parts[0].times_per_day, parts[0].suffix, in_course)


def _in_course(conversions: tuple[Conversion, ...], times: int) -> int | None:
    for item in conversions:
        if item.per is Per.COURSE and not item.divides and item.low == item.high:
            count = item.low * Decimal(times)
            return int(count) if count == count.to_integral_value() else None
    return None
