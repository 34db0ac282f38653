"""The index is checked when it is opened, and every thread and process reads it for itself."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dosing_service import create_app
from dosing_service.config import Settings, from_environment
from dosing_service.errors import SettingsError
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.terminology import IndexFault, RxNormIndex, configured_index


def _other_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE concept (rxcui INTEGER)")
    database.close()


def _other_version(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA application_id = 0x44735278")
        database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "the file does not exist"),
        (Path.mkdir, "the file does not exist"),
        (lambda path: path.write_bytes(b"no database at all " * 100), "the file is no RxNorm index"),
        (_other_database, "the file is no RxNorm index"),
        (_other_version, "the index is of another version of this service; import the release again"),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, make: object, reason: str) -> None:
    """What is no index of this version is refused when it is opened; so is a setting that names it, by its name."""
    path = tmp_path / "rxnorm.sqlite"
    make(path)  # type: ignore[operator]  # each way to make a file

    with pytest.raises(IndexFault, match=reason):
        RxNormIndex(path)
    with pytest.raises(SettingsError) as refused:
        configured_index(str(path))
    assert f"DOSING_RXNORM_INDEX is the path of an index: {reason}" == str(refused.value)


#: Forty tablets of 45 mg once daily: 1,800 mg of diltiazem, by a code that the index alone knows.
_ORDER = {
    "resourceType": "MedicationRequest",
    "id": "order-1",
    "medicationCodeableConcept": {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "9000202"}]
    },
    "dosageInstruction": [
        {
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 40, "unit": "{tablet}"}}],
        }
    ],
}


def _indicators(settings: Settings, knowledge: KnowledgeBase) -> list[str]:
    call = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": _ORDER}]}},
    }
    client = create_app(settings=settings, known=knowledge).test_client()
    cards = client.post("/cds-services/calcinosis-order-sign", json=call).get_json()["cards"]
    return [card["indicator"] for card in cards if "diltiazem" in card["summary"]]


def test_service_knows_the_products_of_its_index(index: RxNormIndex, knowledge: KnowledgeBase) -> None:
    """The setting is a path; with it an order is dosed that cannot be read without."""
    with_index = from_environment({"DOSING_RXNORM_INDEX": str(index.path)})

    assert "critical" in _indicators(with_index, knowledge)
    assert _indicators(Settings(), knowledge) == []


def test_service_needs_no_index(knowledge: KnowledgeBase) -> None:
    """Without the setting there is none; an empty one, and a path that leads nowhere, stop the start."""
    with pytest.raises(SettingsError, match="DOSING_RXNORM_INDEX is the absolute path of a file"):
        from_environment({"DOSING_RXNORM_INDEX": ""})
    assert configured_index(Settings().rxnorm_index) is None
    with pytest.raises(SettingsError, match="the file does not exist"):
        create_app(settings=Settings(rxnorm_index="/nowhere/rxnorm.sqlite"), known=knowledge)


def test_threads_do_not_share_a_connection(index: RxNormIndex) -> None:
    """Many threads look up at the same time."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(index.lookup, ["9000201"] * 200))

    assert {item.name for item in found if item} == {"diltiazem hydrochloride 45 MG Oral Tablet"}
    assert None not in found


def test_process_opens_the_index_anew(index: RxNormIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was forked does not use the connection of its parent, and leaves it open."""
    index.lookup("3443")
    parents = index._local.opened[1]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    index.lookup("3443")
    own = index._local.opened[1]

    assert own is not parents
    assert parents.execute("SELECT 1").fetchone() == (1,)
    parents.close()
    index.close()


def test_index_that_breaks_while_it_runs_is_a_fault(index: RxNormIndex, tmp_path: Path) -> None:
    """A file that is overwritten below the service raises the one exception that callers expect."""
    path = tmp_path / "rxnorm.sqlite"
    path.write_bytes(index.path.read_bytes())
    broken = RxNormIndex(path)
    path.write_bytes(b"overwritten " * 100)

    with pytest.raises(IndexFault, match="cannot be read"):
        broken.lookup("3443")
    broken.close()
