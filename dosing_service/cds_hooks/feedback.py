"""What clinicians did with cards: read as clients really send it, and kept once, where there is a database for it."""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from dosing_service.cds_hooks.trust import Caller
from dosing_service.config import Settings
from dosing_service.errors import SettingsError, StoreUnavailable
from dosing_service.model import Value

#: A client that collects feedback sends it in batches; a day of one ward is below this.
MAX_ENTRIES = 500
#: Longer comments are cut: a dialogue of a health record has a few lines.
MAX_COMMENT = 2000
#: Ids are opaque and may be long; one that is longer than this is none.
_MAX_TEXT = 500
_MAX_PARTS = 50
_VERSION = 1
_BUSY_SECONDS = 2.0


class Outcome(StrEnum):
    """What became of a card."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


class Reason(Value, frozen=True):
    """Why a card was overridden, as a code of the card's own list or of the client."""

    code: str | None = None
    system: str | None = None
    display: str | None = None


class Feedback(Value, frozen=True):
    """What became of one card. ``extension`` holds what the client says beside the standard, by name.

    ``at`` is the time in UTC as ISO 8601, ``None`` where the client's time is unreadable.
    """

    card: str
    outcome: Outcome
    at: str | None = None
    accepted_suggestions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    comment: str | None = None
    extension: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """Say only what became of the card: the rest may speak of a patient, and this may end in a log."""
        return f"Feedback(outcome={self.outcome.value!r}, ...)"


class Reading(Value, frozen=True):
    """The entries of a body that could be read, and a sentence for each that could not. Neither is ever an error."""

    entries: tuple[Feedback, ...]
    unread: tuple[str, ...]


# ---- Reading


def read(body: object) -> Reading:
    """Return the feedback in ``body``: a list under ``feedback``, or an entry or a list without that frame."""
    found: list[Feedback] = []
    unread: list[str] = []
    entries = _entries(body)
    if not entries:
        unread.append("no feedback was found")
    if len(entries) > MAX_ENTRIES:
        # All or nothing: a client that learns of no error would not send the rest again.
        return Reading((), (f"more than {MAX_ENTRIES} entries were sent at once",))
    for place, entry in enumerate(entries):
        item = _entry(entry)
        if isinstance(item, Feedback):
            found.append(item)
        else:
            unread.append(f"feedback[{place}] {item}")
    return Reading(tuple(found), tuple(unread))


def _entries(body: object) -> Sequence[object]:
    frame = body["feedback"] if isinstance(body, dict) and "feedback" in body else body
    if isinstance(frame, list):
        return frame
    return [frame] if isinstance(frame, dict) and frame else []


def _entry(entry: object) -> Feedback | str:
    if not isinstance(entry, dict):
        return "is no object"
    card, outcome = _text(entry.get("card")), _text(entry.get("outcome"))
    if card is None:
        return "names no card"
    if outcome is None or outcome.lower() not in set(Outcome):
        return "has no outcome that is accepted or overridden"
    overrides = [item for name in ("overrideReason", "overrideReasons") for item in _objects(entry.get(name))]
    return Feedback(
        card,
        Outcome(outcome.lower()),
        _time(entry.get("outcomeTimestamp")),
        tuple(_suggestions(entry.get("acceptedSuggestions"))),
        tuple(_reasons(overrides)),
        _comment(overrides),
        dict(_extensions([entry, *overrides])),
    )


def _text(value: object, limit: int = _MAX_TEXT) -> str | None:
    """Return a text that is not blank and not too long, or a number as text. Half a surrogate pair, which no database
    takes, is replaced.
    """
    if isinstance(value, Decimal):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        return None
    return value.strip().encode("utf-8", "replace").decode("utf-8")


def _objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in ``value``, which is one or a list of them."""
    entries = value if isinstance(value, list) else [value]
    return [item for item in entries[:_MAX_PARTS] if isinstance(item, dict)]


def _time(value: object) -> str | None:
    """Return a time in UTC; one without an offset is taken to be UTC, as the standard wants it."""
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is refused below
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError):
        return None


def _suggestions(value: object) -> Iterator[str]:
    for item in (value if isinstance(value, list) else [])[:_MAX_PARTS]:
        identity = _text(item.get("id") if isinstance(item, dict) else item)
        if identity:
            yield identity


def _reasons(overrides: Iterable[Mapping[str, Any]]) -> Iterator[Reason]:
    """Yield the reasons: a Coding, some in a list, or the codings of a CodeableConcept."""
    for override in overrides:
        for reason in _objects(override.get("reason")):
            for coding in _objects(reason.get("coding")) or [reason]:
                item = Reason(*(_text(coding.get(name)) for name in ("code", "system", "display")))
                if item.code or item.display:
                    yield item


def _comment(overrides: Iterable[Mapping[str, Any]]) -> str | None:
    comments = (override.get("userComment") for override in overrides)
    text = "\n".join(item for item in comments if isinstance(item, str) and item.strip())
    return _text(text[:MAX_COMMENT], MAX_COMMENT)


def _extensions(holders: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the texts among the extensions, wherever the client puts them."""
    for holder in holders:
        for extension in _objects(holder.get("extension")):
            for name, value in list(extension.items())[:_MAX_PARTS]:
                texts = _text(name), _text(value)
                if texts[0] and texts[1]:
                    yield texts[0], texts[1]


# ---- Keeping


def open_store(settings: Settings) -> "DatabaseFeedback | None":
    """Return the store that the settings ask for; ``None`` where feedback is not kept.

    Raises:
        SettingsError: the database cannot be opened or is none of this service.
    """
    return DatabaseFeedback(Path(settings.feedback_database)) if settings.feedback_database else None


def _identity(entry: Feedback, service: str, caller: Caller | None) -> bytes:
    """Return what makes feedback the same: client, service and everything it says. Ids of cards may be short numbers,
    so that two clients share them.
    """
    return hashlib.sha256(msgspec.json.encode([caller, service, entry], order="sorted")).digest()


_TABLE = """
CREATE TABLE IF NOT EXISTS feedback (
    identity BLOB PRIMARY KEY,
    received TEXT NOT NULL,
    iss TEXT,
    tenant TEXT,
    service TEXT NOT NULL,
    card TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at TEXT,
    accepted_suggestions TEXT NOT NULL,
    reasons TEXT NOT NULL,
    comment TEXT,
    extension TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""


class DatabaseFeedback:
    """Keeps feedback in a file of SQLite, which several processes may share. Sent twice, the same is kept once."""

    def __init__(self, path: Path) -> None:
        """Open or make the database at ``path``, readable by its owner alone.

        Raises:
            SettingsError: it cannot be opened or is none of this service.
        """
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            with self._connection() as connection:
                _prepare(connection)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError("DOSING_FEEDBACK_DATABASE is no file that can be written as a database") from error

    def add(self, entries: Sequence[Feedback], *, service: str, caller: Caller | None, received: datetime) -> int:
        """Keep ``entries`` about cards of ``service``, all or none, and return how many were new.

        Raises:
            StoreUnavailable: nothing was kept; the client may send it again.
        """
        about = received.astimezone(UTC).isoformat(), caller and caller.iss, caller and caller.tenant, service
        rows = [(_identity(entry, service, caller), *about, *_columns(entry)) for entry in entries]
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                before = connection.total_changes
                connection.executemany("INSERT OR IGNORE INTO feedback VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
                connection.execute("COMMIT")
                return connection.total_changes - before
        except sqlite3.Error:
            # Not chained: the message of the database could name its file.
            raise StoreUnavailable("feedback could not be written") from None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection of this call alone: none may cross a fork or a thread. Closing it takes back what was not
        committed.
        """
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            yield connection


def _prepare(connection: sqlite3.Connection) -> None:
    # All that is looked at is looked at under one lock: another worker may be making the table at this moment.
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version != _VERSION and (version, tables) != (0, 0):
        raise SettingsError("DOSING_FEEDBACK_DATABASE is a database of something else, or of another version")
    connection.execute(_TABLE)
    connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")
    # It is only faster, and whoever comes second need not wait for the first one to have it done.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def _columns(entry: Feedback) -> tuple[str | None, ...]:
    suggestions, reasons, extension = (
        msgspec.json.encode(part).decode() for part in (entry.accepted_suggestions, entry.reasons, entry.extension)
    )
    return entry.card, entry.outcome.value, entry.at, suggestions, reasons, entry.comment, extension
