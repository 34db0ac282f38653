"""Which day it is, and the age of a patient on a day: the same for every face that is sent a birth date."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from dosing_service.model import Age
from dosing_service.units import over

#: Ages above this are a slip of the pen, not a patient.
OLDEST_YEARS = 130
#: How far somebody else's day may be ahead: where a child was born it may be tomorrow already.
TIME_ZONES = timedelta(days=1)


def today() -> date:
    """Return the day it is in UTC, the same for every machine and worker."""
    return datetime.now(UTC).date()


def age_on(birth: date, day: date) -> Age | None:
    """Return the age on ``day``: completed calendar years and months plus the part of the running one, and days.

    ``None`` before birth or above 130 years; who is born tomorrow by this clock is born today by another one. Someone
    born on a day that a month does not have completes that month on the first day of the next one: 29 February on
    1 March.
    """
    if birth - day > TIME_ZONES or day.year - birth.year > OLDEST_YEARS:
        return None
    day = max(day, birth)
    months = (day.year - birth.year) * 12 + day.month - birth.month
    if _after_months(birth, months) > day:
        months -= 1
    years = months // 12
    return Age(
        years + _running_part(birth, day, years * 12, 12),
        months + _running_part(birth, day, months, 1),
        Decimal((day - birth).days),
    )


def _running_part(birth: date, day: date, completed: int, length: int) -> Decimal:
    start, end = _after_months(birth, completed), _after_months(birth, completed + length)
    return over(Decimal((day - start).days), Decimal((end - start).days))


def _after_months(birth: date, months: int) -> date:
    year, month = divmod(birth.month - 1 + months, 12)
    try:
        return birth.replace(year=birth.year + year, month=month + 1)
    except ValueError:
        return date(birth.year + year, month + 2, 1)
