"""Points in time as FHIR writes them: a year, a month, a day or an instant."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dosing_service.age import TIME_ZONES
from dosing_service.fhir.elements import element, word
from dosing_service.model import Value

_MOMENT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)


class Moment(Value, frozen=True):
    """A point in time: ``at`` its beginning (UTC), ``day`` the day as it was written, ``None`` for a month or year."""

    at: datetime
    day: date | None
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
    return Moment(at, local.date() if day else None, hour is not None)


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


def is_future(at: Moment, today: date) -> bool:
    """Tell whether a moment lies after today, wherever on earth it was written."""
    first = at.day or at.at.date()
    return first - today > TIME_ZONES
