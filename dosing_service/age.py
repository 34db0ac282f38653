"""The age of a patient on a day, as every face that is sent a birth date works it out."""

from datetime import date
from decimal import Decimal

from dosing_service.model import Age
from dosing_service.units import over

#: Ages above this are a slip of the pen, not a patient.
OLDEST_YEARS = 130


def age_on(birth: date, day: date) -> Age | None:
    """Return the age on ``day``: completed calendar years and months plus the part of the running one, and days.

    ``None`` before birth or above 130 years. Someone born on a day that a month does not have completes that month on
    the first day of the next one: 29 February on 1 March.
    """
    if birth > day or day.year - birth.year > OLDEST_YEARS:
        return None
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
