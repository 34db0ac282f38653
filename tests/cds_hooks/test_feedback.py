"""Feedback on cards: read as clients send it, and kept once."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosing_service.cds_hooks.feedback import (
    MAX_COMMENT,
    MAX_ENTRIES,
    DatabaseFeedback,
    Feedback,
    Outcome,
    Reading,
    Reason,
    open_store,
    read,
)
from dosing_service.cds_hooks.trust import Caller
from dosing_service.config import Settings
from dosing_service.errors import SettingsError, StoreUnavailable

CARD = "9d1c1f0e-7c1c-4c8e-9a51-111111111111"
RECEIVED = datetime(2026, 11, 21, 12, tzinfo=UTC)
SERVICE = "calcinosis-order-sign"
CALLER = Caller("https://ehr.example.org", "ward-1")


def overridden(**changes: Any) -> dict[str, Any]:
    """Return an entry as the standard has it; ``None`` takes a name away."""
    entry = {
        "card": CARD,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-21T11:59:00Z",
        "overrideReason": {
            "reason": {"code": "risk-benefit-ratio", "system": "urn:reasons", "display": "Benefit outweighs"},
            "userComment": "agreed with the family",
        },
    } | changes
    return {name: value for name, value in entry.items() if value is not None}


def only(entry: object) -> Feedback:
    reading = read({"feedback": [entry]})
    assert reading.unread == ()
    return reading.entries[0]


# ---- Reading


def test_rule_28_accepted_suggestions() -> None:
    """An accepted card names the suggestions that were taken."""
    entry = only(
        {
            "card": CARD,
            "outcome": "accepted",
            "outcomeTimestamp": "2026-11-21T11:59:00Z",
            "acceptedSuggestions": [{"id": "s-1"}, {"id": "s-2"}, {"id": None}, 7, "s-3"],
        }
    )

    assert entry == Feedback(
        CARD, Outcome.ACCEPTED, at="2026-11-21T11:59:00+00:00", accepted_suggestions=("s-1", "s-2", "s-3")
    )


def test_rule_28_override_reason() -> None:
    """An overridden card has a reason as a code, and what the clinician wrote."""
    assert only(overridden()) == Feedback(
        CARD,
        Outcome.OVERRIDDEN,
        at="2026-11-21T11:59:00+00:00",
        reasons=(Reason("risk-benefit-ratio", "urn:reasons", "Benefit outweighs"),),
        comment="agreed with the family",
    )


def test_rule_29_other_spelling_short_id_and_extension() -> None:
    """One client writes overrideReasons, ids that are no UUIDs, and reasons in an extension inside it."""
    prefix = "com.epic.cdshooks.feedback.overrideReason."
    entry = only(
        overridden(
            card="4711",
            overrideReason=None,
            overrideReasons={
                "extension": {f"{prefix}reasonCategory": "12", f"{prefix}reasonDisplay": "Not for this patient"},
                "userComment": "see chart",
            },
        )
    )

    assert (entry.card, entry.reasons, entry.comment) == ("4711", (), "see chart")
    assert entry.extension == {
        f"{prefix}reasonCategory": "12",
        f"{prefix}reasonDisplay": "Not for this patient",
    }


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"overrideReason": None, "overrideReasons": {"reason": {"code": "a"}}}, ["a"]),
        (
            {"overrideReason": None, "overrideReasons": [{"reason": {"code": "a"}}, {"reason": {"code": "b"}}]},
            ["a", "b"],
        ),
        ({"overrideReason": {"reason": {"code": "a"}}, "overrideReasons": {"reason": {"code": "b"}}}, ["a", "b"]),
        ({"overrideReason": {"reason": [{"code": "a"}, {"code": "b"}]}}, ["a", "b"]),
        ({"overrideReason": {"reason": {"coding": [{"code": "a"}, {"code": "b"}], "text": "x"}}}, ["a", "b"]),
        ({"overrideReason": {"reason": {"display": "only words"}}}, [None]),
        ({"overrideReason": {"reason": {"system": "urn:x"}}}, []),
        ({"overrideReason": {"reason": None}}, []),
        ({"overrideReason": "no"}, []),
        ({"overrideReason": None}, []),
    ],
)
def test_rule_29_reasons_in_any_shape(changes: dict[str, Any], codes: list[str | None]) -> None:
    """Both spellings, one reason or several, a code or a concept with codes."""
    assert [reason.code for reason in only(overridden(**changes)).reasons] == codes


def test_rule_29_extension_of_the_entry_counts_too() -> None:
    """Texts and numbers of an extension are kept, wherever the client puts it; the rest is left out."""
    extension = {"com.example.a": "x", "com.example.b": Decimal(45), "com.example.c": {"deep": 1}, " ": "y", "e": None}

    assert only(overridden(extension=extension)).extension == {"com.example.a": "x", "com.example.b": "45"}


@pytest.mark.parametrize(
    "body",
    [
        {"feedback": [overridden(), overridden(card="2")], "extension": {"x": 1}, "item2": None},
        [overridden(), overridden(card="2")],
    ],
)
def test_rule_29_batches_are_read(body: object) -> None:
    """Several cards come in one request, in the frame of the standard or without; other names are ignored."""
    assert [entry.card for entry in read(body).entries] == [CARD, "2"]


@pytest.mark.parametrize("body", [{"feedback": overridden()}, overridden()])
def test_single_entry_needs_no_list(body: object) -> None:
    """One entry may stand without a list."""
    assert [entry.card for entry in read(body).entries] == [CARD]


@pytest.mark.parametrize("body", [None, [], {}, {"feedback": []}, {"feedback": None}, {"feedback": 7}, "x", 7])
def test_body_without_feedback_says_so(body: object) -> None:
    """Nothing to keep is no error of the reader."""
    assert read(body) == Reading((), ("no feedback was found",))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (7, "is no object"),
        (None, "is no object"),
        (overridden(card=None), "names no card"),
        (overridden(card=" "), "names no card"),
        (overridden(card=["x"]), "names no card"),
        (overridden(card="x" * 501), "names no card"),
        (overridden(outcome=None), "has no outcome that is accepted or overridden"),
        (overridden(outcome="ignored"), "has no outcome that is accepted or overridden"),
        (overridden(outcome={}), "has no outcome that is accepted or overridden"),
    ],
)
def test_unreadable_entry_is_named_and_the_others_count(entry: object, reason: str) -> None:
    """An entry without card or outcome says nothing; it does not take the others with it."""
    reading = read({"feedback": [entry, overridden()]})

    assert reading.unread == (f"feedback[0] {reason}",)
    assert len(reading.entries) == 1


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [
        ("2026-11-21T11:59:00Z", "2026-11-21T11:59:00+00:00"),
        ("2026-11-21T13:59:00.25+02:00", "2026-11-21T11:59:00.250000+00:00"),
        ("2026-11-21T11:59:00", "2026-11-21T11:59:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1_795_000_000, None),
        (None, None),
    ],
)
def test_time_is_read_in_utc(given_time: object, expected: str | None) -> None:
    """A time without offset is UTC, as the standard wants it; an unreadable one loses the time, not the feedback."""
    assert only(overridden(outcomeTimestamp=given_time)).at == expected


def test_long_comment_is_cut() -> None:
    """What is kept of a comment is bounded; several comments become lines of one."""
    reasons = [{"userComment": "a" * MAX_COMMENT}, {"userComment": "b"}, {"userComment": 7}, {"userComment": " "}]

    assert only(overridden(overrideReason=reasons)).comment == "a" * MAX_COMMENT
    assert only(overridden(overrideReason=[*reasons[1:], {"userComment": "c"}])).comment == "b\nc"


def test_number_of_entries_is_bounded() -> None:
    """A longer batch is refused as a whole, so that the client sends it again in parts."""
    batch = [overridden(card=str(number)) for number in range(MAX_ENTRIES + 1)]

    assert len(read(batch[1:]).entries) == MAX_ENTRIES
    assert read(batch) == Reading((), (f"more than {MAX_ENTRIES} entries were sent at once",))


#: Blanks, a NUL, half a surrogate pair: what databases and encoders stumble over.
_TEXT = st.text("a \0é\ud800", max_size=4)
_JSON = st.recursive(
    st.none() | st.booleans() | st.just(Decimal(7)) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT | st.just("reason"), inner, max_size=3),
    max_leaves=6,
)
_NAMES = [
    "card",
    "outcome",
    "outcomeTimestamp",
    "acceptedSuggestions",
    "overrideReason",
    "overrideReasons",
    "extension",
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> DatabaseFeedback:
    """A database that takes what many examples send."""
    return DatabaseFeedback(tmp_path_factory.mktemp("feedback") / "feedback.db")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, _JSON)))
def test_any_shape_is_read(everything: DatabaseFeedback, entry: dict[str, Any]) -> None:
    """Whatever stands where, reading and keeping never fail."""
    reading = read({"feedback": [entry, entry | {"card": "1", "outcome": "accepted"}]})

    assert reading.entries
    assert everything.add(reading.entries, service=SERVICE, caller=None, received=RECEIVED) >= 0


def test_feedback_does_not_show_what_was_typed() -> None:
    """Feedback that ends in a log or a traceback says neither the comment nor the rest."""
    shown = repr(only(overridden(extension={"a": "b"})))

    assert shown == "Feedback(outcome='overridden', ...)"


# ---- Keeping


@pytest.fixture
def store(tmp_path: Path) -> DatabaseFeedback:
    """The store that the settings ask for."""
    opened = open_store(Settings(feedback_database=str(tmp_path / "feedback.db")))
    assert opened is not None
    return opened


def add(store: DatabaseFeedback, *entries: Feedback, service: str = SERVICE, caller: Caller | None = CALLER) -> int:
    return store.add(entries, service=service, caller=caller, received=RECEIVED)


def test_rule_28_feedback_sent_twice_is_kept_once(store: DatabaseFeedback) -> None:
    """A client that is not sure sends again; nothing is counted twice, in one request or in two."""
    entry = only(overridden())

    assert [add(store, entry), add(store, entry), add(store, entry, only(overridden(card="2")))] == [1, 0, 1]
    assert add(store, only(overridden(card="3")), only(overridden(card="3"))) == 1
    assert add(store) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "accepted"},
        {"outcomeTimestamp": "2026-11-21T12:30:00Z"},
        {"overrideReason": {"reason": {"code": "other"}}},
        {"card": "2"},
    ],
)
def test_rule_28_one_card_may_have_several_outcomes(changes: dict[str, Any], store: DatabaseFeedback) -> None:
    """A card that is overridden and later accepted has both; only what is the same is kept once."""
    assert [add(store, only(overridden())), add(store, only(overridden(**changes)))] == [1, 1]


def test_rule_29_short_ids_of_two_clients_do_not_mix(store: DatabaseFeedback) -> None:
    """Card 4711 of one hospital is not card 4711 of another, nor that of another service."""
    entry = only(overridden(card="4711"))

    assert add(store, entry) == 1
    assert add(store, entry, caller=Caller("https://other.example.org")) == 1
    assert add(store, entry, caller=None) == 1
    assert add(store, entry, service="calcinosis-order-select") == 1


def test_without_a_database_nothing_is_kept() -> None:
    """What nobody could ever read is not collected: it may speak of a patient, and it would grow."""
    assert open_store(Settings()) is None


def rows(path: Path) -> list[tuple[Any, ...]]:
    columns = "received, iss, tenant, service, card, outcome, at, accepted_suggestions, reasons, comment, extension"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM feedback ORDER BY card").fetchall()  # noqa: S608 - constant


def test_database_keeps_everything(tmp_path: Path) -> None:
    """A row holds who sent the feedback, when, and all of it."""
    store = DatabaseFeedback(tmp_path / "feedback.db")
    add(store, only(overridden(extension={"com.example.a": "b"})))
    add(store, Feedback("x", Outcome.ACCEPTED, accepted_suggestions=("s-1",)), caller=None)

    assert rows(tmp_path / "feedback.db") == [
        (
            "2026-11-21T12:00:00+00:00",
            "https://ehr.example.org",
            "ward-1",
            SERVICE,
            CARD,
            "overridden",
            "2026-11-21T11:59:00+00:00",
            "[]",
            '[{"code":"risk-benefit-ratio","system":"urn:reasons","display":"Benefit outweighs"}]',
            "agreed with the family",
            '{"com.example.a":"b"}',
        ),
        ("2026-11-21T12:00:00+00:00", None, None, SERVICE, "x", "accepted", None, '["s-1"]', "[]", None, "{}"),
    ]


def test_half_a_surrogate_pair_does_not_stop_the_database(tmp_path: Path) -> None:
    """Text that is no Unicode is replaced, since no database takes it."""
    assert add(DatabaseFeedback(tmp_path / "feedback.db"), only(overridden(card="a\ud800", extension={"b": "\udfff"})))
    assert rows(tmp_path / "feedback.db")[0][4] == "a?"


def test_database_survives_the_process(tmp_path: Path) -> None:
    """What one process kept, the next one knows."""
    entry = only(overridden())

    assert [add(DatabaseFeedback(tmp_path / "feedback.db"), entry) for _ in range(2)] == [1, 0]


def fill(path: Path, first: int) -> None:
    """Keep 40 entries, of which the other process keeps 20, too."""
    store = DatabaseFeedback(path)
    for number in range(first, first + 40):
        add(store, Feedback(str(number), Outcome.ACCEPTED))


def test_processes_share_a_database(tmp_path: Path) -> None:
    """Two workers open and write one file at the same time; nothing is lost and nothing is there twice."""
    context = get_context("spawn")
    processes = [context.Process(target=fill, args=(tmp_path / "feedback.db", first)) for first in (0, 20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    assert len(rows(tmp_path / "feedback.db")) == 60


def test_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Comments may speak of patients: nobody else on the machine can read the file."""
    DatabaseFeedback(tmp_path / "feedback.db")

    assert stat.S_IMODE((tmp_path / "feedback.db").stat().st_mode) == 0o600


def test_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """When the database fails nothing of a batch is kept, and the error names neither the file nor the feedback."""
    path = tmp_path / "feedback.db"
    store = DatabaseFeedback(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON feedback WHEN NEW.card = 'b' BEGIN SELECT RAISE(ABORT, 'full'); END"
        )

    with pytest.raises(StoreUnavailable) as failed:
        add(store, *(Feedback(card, Outcome.ACCEPTED, comment="typed") for card in "ab"))

    assert str(failed.value) == "feedback could not be written"
    assert rows(path) == []


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE wards (name)")


def of_a_later_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"no database" * 100), "no file that can be written as a database"),
        (Path.mkdir, "no file that can be written as a database"),
        (of_another_program, "a database of something else, or of another version"),
        (of_a_later_version, "a database of something else, or of another version"),
    ],
)
def test_database_of_something_else_stops_the_start(
    make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    """A file that holds something else is refused and not touched."""
    path = tmp_path / "feedback.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(SettingsError, match=f"^DOSING_FEEDBACK_DATABASE is {reason}$"):
        open_store(Settings(feedback_database=str(path)))
    assert before == (path.read_bytes() if path.is_file() else None)


def test_database_in_a_folder_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    """No folder is made."""
    with pytest.raises(SettingsError, match="DOSING_FEEDBACK_DATABASE"):
        open_store(Settings(feedback_database=str(tmp_path / "none" / "feedback.db")))
    assert list(tmp_path.iterdir()) == []
