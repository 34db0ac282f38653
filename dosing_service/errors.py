"""The exceptions of the service.

::

    DosingError
    ├── KnowledgeError        the knowledge base does not load: file, path inside it, reason
    ├── UnknownId             a resource that does not exist, with the nearest ids (404)
    ├── MalformedBody         bytes that are not the JSON, or the message, that this address reads (400, 413, 415)
    ├── InvalidRequest        a request that is understood and cannot be answered: one or more problems, each with a
    JSON pointer (422)
    ├── DataMissing           what a check cannot do without was not sent, and may be known (412)
    ├── Untrusted             a caller that did not prove to be one the operator named (401)
    ├── StoreUnavailable      what has to be kept could not be written (503)
    └── SettingsError         an environment variable that is unknown, missing or wrong
"""

from dataclasses import dataclass


class DosingError(Exception):
    """Base of everything this package raises on purpose."""


class KnowledgeError(DosingError):
    """The knowledge base does not load; the message is one line that names file, path and reason."""

    def __init__(self, file: str, path: str, reason: str) -> None:
        super().__init__(f"{file}: {path}: {reason}" if path else f"{file}: {reason}")
        self.file = file
        self.path = path
        self.reason = reason


class UnknownId(DosingError):
    """No agent, reference or regimen has this id; ``nearest`` holds known ids that are spelled alike."""

    def __init__(self, kind: str, nearest: tuple[str, ...]) -> None:
        super().__init__(f"no {kind} has this id")
        self.kind = kind
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request cannot be answered; it never repeats a submitted value.

    ``pointer`` is a JSON pointer into the request, ``expected`` says what would be accepted there.
    """

    pointer: str
    code: str
    detail: str
    expected: str


class InvalidRequest(DosingError):
    """A request that is understood and cannot be answered as it stands."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.pointer}: {problem.detail}" for problem in problems))
        self.problems = problems


class MalformedBody(DosingError):
    """A body that is not JSON as this service reads it (strict RFC 8259, bounded, no duplicate names), or not the kind
    of message that its address takes.
    """

    def __init__(self, problem: Problem, status: int = 400) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.status = status


class DataMissing(DosingError):
    """A check cannot do without data that were not sent, though the caller may have them: one problem for each."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.pointer for problem in problems))
        self.problems = problems


class SettingsError(DosingError):
    """An environment variable of this service that is unknown or has a value that is not accepted."""


class Untrusted(DosingError):
    """A caller that did not prove to be one the operator named; ``reason`` is a word for the log, never for the caller.

    It holds nothing of the token.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoreUnavailable(DosingError):
    """What has to be kept could not be written; the message holds nothing of it."""
