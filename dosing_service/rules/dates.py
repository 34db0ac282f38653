"""Arithmetic of the calendar: days, weeks of seven days, and calendar months."""

from calendar import monthrange
from datetime import MAXYEAR, date, timedelta
from decimal import ROUND_HALF_UP, Decimal

_DAYS_IN = {"d": 1, "wk": 7}
#: A UCUM month, for intervals that are no whole number of months.
_DAYS_PER_MONTH = Decimal("30.4375")


def after(day: date, count: int, unit: str) -> date | None:
    """Return the day that is ``count`` days, weeks or calendar months after ``day``; ``None`` beyond the calendar.

    A month later is the same day of that month, or its last day. Count from the first day each time, not from the
    month before: 31 January, 28 February, 31 March.
    """
    if unit == "mo":
        return _months_after(day, count)
    try:
        return day + timedelta(days=count * _DAYS_IN[unit])
    except OverflowError:
        return None


def _months_after(day: date, count: int) -> date | None:
    years, month = divmod(day.month - 1 + count, 12)
    year = day.year + years
    if year > MAXYEAR:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def after_interval(day: date, interval: Decimal, unit: str) -> date | None:
    """Return :func:`after`, also for an interval that is no whole number: then in days, to the nearest one."""
    if interval == interval.to_integral_value():
        return after(day, int(interval), unit)
    days = interval * (_DAYS_PER_MONTH if unit == "mo" else _DAYS_IN[unit])
    return after(day, int(days.to_integral_value(ROUND_HALF_UP)), "d")


def last_of(first: date, interval: Decimal, unit: str) -> date:
    """Return the last day of a stretch that begins with ``first``; beyond the calendar, the calendar's last day."""
    end = after_interval(first, interval, unit)
    return date.max if end is None else end - timedelta(days=1)
