"""Turns what findings and checks name into paths of the request, in the order of a group that decides or lacks it."""

from collections.abc import Sequence

from msgspec import structs

from dosing_service.model import Finding, NotChecked, Verdict
from dosing_service.rules.order_lines import Line
from dosing_service.rules.ordered import Unreadable

_RENAMED = {"regimen": "dose", "options.times_per_day": "frequency", "options.product": "product"}
_OF_ORDER = {"agent", "dose", "frequency", "route", "duration", "product", "already_given", "infusion"}


def _at(name: str, path: str) -> str:
    """Return a name of the dose endpoint, or one relative to an order, as a path of this request."""
    renamed = _RENAMED.get(name, name)
    is_own = renamed in _OF_ORDER or renamed.startswith(("indication.", "infusion."))
    return f"{path}.{renamed}" if is_own else renamed


def found_at(item: Finding, line: Line, group: Sequence[Line]) -> Finding:
    """Return a finding about ``line``, one of the orders of ``group``, with paths of the request."""
    if item.verdict is Verdict.POSSIBLE:
        return structs.replace(item, because=_needed(item.because, line, group))
    return structs.replace(item, because=tuple([_at(name, line.path) for name in item.because]))


def unchecked_at(item: NotChecked, line: Line, group: Sequence[Line]) -> NotChecked:
    """Return a check that did not run for ``line``, with the paths of the request that would let it run."""
    return structs.replace(item, needs=_needed(item.needs, line, group))


def _needed(names: tuple[str, ...], line: Line, group: Sequence[Line]) -> tuple[str, ...]:
    """Return what is missing as paths of the request, in the order of the group that lacks it."""
    found = [path for name in names for path in _missing(name, line, group)]
    return tuple(dict.fromkeys(found))


def _missing(name: str, line: Line, group: Sequence[Line]) -> list[str]:
    if name == "regimen":
        return _why_no_amount(line, group)
    asked = _RENAMED.get(name, name)
    if asked in {"frequency", "duration"}:
        lacking = [other.path for other in group if _lacks(asked, other)]
        return [f"{path}.{asked}" for path in lacking or [line.path]]
    return [_at(name, line.path)]


def _lacks(name: str, line: Line) -> bool:
    return line.order.frequency is None if name == "frequency" else line.order.duration_days is None


def _why_no_amount(line: Line, group: Sequence[Line]) -> list[str]:
    """Return what a question about the regimen or its amounts waits for: the route, or what the amounts follow from."""
    lacking = [other.path for other in group if other.route is None]
    if lacking and line.agent is not None and len({item.route for item in line.agent.regimens.values()}) > 1:
        return [f"{path}.route" for path in lacking]
    unread = [other.ordered for other in group if isinstance(other.ordered, Unreadable)]
    if unread:
        return [need for item in unread for part in item.inputs for need in part.needs]
    has_all = not any(_lacks("frequency", other) for other in group)
    return _missing("duration" if has_all else "frequency", line, group)
