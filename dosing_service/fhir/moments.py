"""Points in time as FHIR writes them: a year, a month, a day or an instant."""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dosing_service.age import TIME_ZONES
from dosing_service.fhir.elements import element, word
from dosing_service.model import Value

_DECEMBER = 12
_MOMENT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)


class Moment(Value, frozen=True):
    """A point in time: ``at`` its beginning (UTC), ``day`` the day as it was written, ``None`` for a month or year.

    ``last_day`` is the last one that what is written includes: 31 December of a year.
    """

    at: datetime
    day: date | None
    last_day: date
    has_time: bool = False


def moment(value: Any) -> Moment | None:
    """Return a date, dateTime or instant; ``None`` for anything else."""
    text = word(value)
    match = _MOMENT.fullmatch(text) if text else None
    if match is None:
        return None
    try:
        return _moment(match)
    except (ValueError, OverflowError):
        return None


def _moment(match: re.Match[str]) -> Moment:
    year, month, day, hour, minute, second, zone = match.groups()
    local = datetime(  # noqa: DTZ001 - the offset is taken off below; a time without one is read as UTC
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), min(int(second or 0), 59)
    )
    at = (local - _offset(zone)).replace(tzinfo=UTC)
    written = local.date()
    return Moment(at, written if day else None, _last_day(written, month, day), hour is not None)


def _last_day(first: date, month: str | None, day: str | None) -> date:
    if day is not None:
        return first
    if month is None:
        return first.replace(month=_DECEMBER, day=31)
    return first.replace(day=monthrange(first.year, first.month)[1])


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = zone[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if zone[0] == "-" else offset


def measured_at(resource: Mapping[str, Any]) -> Moment | None:
    """Return when an observation was made: the first of effective date, instant, end or begin of period, issued."""
    period = element(resource.get("effectivePeriod"))
    given = (
        resource.get("effectiveDateTime"),
        resource.get("effectiveInstant"),
        period.get("end"),
        period.get("start"),
        resource.get("issued"),
    )
    found = (moment(value) for value in given if value is not None)
    return next((item for item in found if item is not None), None)


def is_past(value: Any, today: date) -> bool:
    """Tell whether an end lies before today; one that is a month or year includes the whole of it."""
    end = moment(value)
    return end is not None and end.last_day < today


def is_future(at: Moment, today: date) -> bool:
    """Tell whether a moment lies after today, wherever on earth it was written."""
    first = at.day or at.at.date()
    return first - today > TIME_ZONES
