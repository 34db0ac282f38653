"""Builds the index out of the files of an RxNorm release, RXNCONSO.RRF and RXNREL.RRF.

The files are read line by line, and the relations are followed inside the new database, so that memory does not grow
with the release. Relations are read without regard to their direction: the term types of the two ends say which
contains the other.
"""

import os
import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from dosing_service.model import Value
from dosing_service.terminology.index import APPLICATION_ID, FORMAT, IndexFault

#: The columns of a line, each with a bar behind it.
_CONSO_COLUMNS = 18
_REL_COLUMNS = 16
#: No line of a release comes near; a file without ends of lines is refused before it fills the memory.
_LONGEST_LINE = 65_536
#: Concepts are taken in batches of this size.
_BATCH = 10_000
#: Names that an editor has withdrawn (E, Y) are left out. Obsolete ones (O) still stand in records and are kept.
_TAKEN = {"N", "O", ""}
#: From what to what the ingredients are handed on, in this order: each pair is (what contains, what is contained).
_STEPS = (
    *(("PIN", "IN"), ("MIN", "IN"), ("BN", "IN"), ("BN", "PIN"), ("SCDC", "IN"), ("SCDC", "PIN"), ("SCDF", "IN")),
    *(("SCDF", "PIN"), ("SCD", "SCDC"), ("SBD", "SCD"), ("SBDF", "SCDF"), ("SBD", "SCDC")),
    *(("GPCK", "SCD"), ("BPCK", "SCD"), ("BPCK", "SBD"), ("BPCK", "GPCK")),
)
_TERM_TYPES = {*(pair[0] for pair in _STEPS), "IN"}
_RELATIONS = {
    *("has_ingredient", "ingredient_of", "has_ingredients", "ingredients_of"),
    *("has_precise_ingredient", "precise_ingredient_of", "has_form", "form_of", "has_part", "part_of"),
    *("consists_of", "constitutes", "has_tradename", "tradename_of", "contains", "contained_in"),
}
#: Of the clinical drugs in force, so many may lack an ingredient before the release counts as cut off. Ours: in a whole
#: release none does, in one whose relations end early most do.
_MOST_WITHOUT = 0.01
_COMPONENT = re.compile(r"(.+) ([0-9]+(?:\.[0-9]+)?) ([A-Z]+(?:/[A-Z]+)?)")
_TABLES = """
CREATE TABLE concept (rxcui INTEGER PRIMARY KEY, tty TEXT NOT NULL, name TEXT NOT NULL, current INTEGER NOT NULL);
CREATE TABLE ingredient (rxcui INTEGER, ingredient INTEGER, PRIMARY KEY (rxcui, ingredient)) WITHOUT ROWID;
CREATE TABLE strength (
    rxcui INTEGER, substance TEXT, value TEXT, unit TEXT, PRIMARY KEY (rxcui, substance, value, unit)
) WITHOUT ROWID;
CREATE TABLE link (one INTEGER, other INTEGER, PRIMARY KEY (one, other)) WITHOUT ROWID;
"""
_HAND_ON = """
INSERT OR IGNORE INTO ingredient
SELECT link.one, part.ingredient FROM link
JOIN concept whole_ ON whole_.rxcui = link.one AND whole_.tty = ?
JOIN concept piece ON piece.rxcui = link.other AND piece.tty = ?
JOIN ingredient part ON part.rxcui = link.other
"""
_STRENGTHS_OF = """
INSERT OR IGNORE INTO strength
SELECT link.one, part.substance, part.value, part.unit FROM link
JOIN concept whole_ ON whole_.rxcui = link.one AND whole_.tty = ?
JOIN concept piece ON piece.rxcui = link.other AND piece.tty = ?
JOIN strength part ON part.rxcui = link.other
"""
_WITHOUT = """
SELECT count(*), coalesce(sum(NOT EXISTS (SELECT 1 FROM ingredient i WHERE i.rxcui = concept.rxcui)), 0)
FROM concept WHERE tty IN ('SCD', 'SBD') AND current
"""


class ImportedCounts(Value, frozen=True):
    """How much an import took: codes, ingredients, clinical and branded drugs, and those of them with ingredients."""

    concepts: int
    ingredients: int
    drugs: int
    resolved: int


def import_release(concepts: Path, relations: Path, target: Path) -> ImportedCounts:
    """Write the index of a release to ``target`` and return what it holds; an index in its place is replaced at once.

    Raises:
        IndexFault: a file is missing, cut off or of another format, or the target cannot be written. Nothing is
        changed then.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise IndexFault(f"{target}: cannot be written: {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        counts = _build(concepts, relations, temporary)
        # Readable as any file of the service is; mkstemp leaves it to its owner alone.
        temporary.chmod(0o644)
        temporary.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise IndexFault(f"{target}: cannot be written: {' '.join(str(error).split())}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return counts


def _build(concepts: Path, relations: Path, path: Path) -> ImportedCounts:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # Whoever sees a fault sees no file, so nothing has to be undone; what is kept is synced at the end.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA temp_store = FILE")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {FORMAT}")
        database.executescript(_TABLES)
        database.execute("BEGIN")
        _insert(database, "INSERT OR IGNORE INTO concept VALUES (?, ?, ?, ?)", _concepts(concepts))
        if not _count(database, "SELECT count(*) FROM concept"):
            raise IndexFault(f"{concepts}: no line of RxNorm's own drugs (SAB = RXNORM)")
        _insert(database, "INSERT OR IGNORE INTO link VALUES (?, ?)", _links(relations))
        if not _count(database, "SELECT count(*) FROM link"):
            raise IndexFault(f"{relations}: no relation between RxNorm's own drugs (SAB = RXNORM)")
        _resolve(database)
        counts = _checked(database, relations)
        database.execute("DROP TABLE link")
        database.execute("COMMIT")
        database.execute("VACUUM")
    return counts


def _resolve(database: sqlite3.Connection) -> None:
    """Hand ingredients on from parts to wholes, and strengths from components to drugs."""
    database.execute("INSERT INTO ingredient SELECT rxcui, rxcui FROM concept WHERE tty = 'IN'")
    for pair in _STEPS:
        database.execute(_HAND_ON, pair)
    components = database.execute("SELECT rxcui, name FROM concept WHERE tty = 'SCDC'")
    _insert(database, "INSERT OR IGNORE INTO strength VALUES (?, ?, ?, ?)", _strengths(components))
    for pair in (("SCD", "SCDC"), ("SBD", "SCD")):
        database.execute(_STRENGTHS_OF, pair)
    _drop_partial_strengths(database)


def _drop_partial_strengths(database: sqlite3.Connection) -> None:
    """Drop the strengths of what has another number of them than of ingredients: some of them are missing or doubled.

    The strengths of components have done their part.
    """
    database.execute(
        "DELETE FROM strength WHERE rxcui IN (SELECT rxcui FROM concept WHERE tty = 'SCDC') OR"
        " (SELECT count(*) FROM strength s WHERE s.rxcui = strength.rxcui)"
        " <> (SELECT count(*) FROM ingredient i WHERE i.rxcui = strength.rxcui)"
    )


def _strengths(components: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, str, str]]:
    for code, name in components:
        match = _COMPONENT.fullmatch(name)
        if match is not None:
            yield (code, match[1].lower(), match[2], match[3])


def _checked(database: sqlite3.Connection, relations: Path) -> ImportedCounts:
    """Return the counts of a release that hangs together."""
    drugs, without = database.execute(_WITHOUT).fetchone()
    if drugs and without > drugs * _MOST_WITHOUT:
        reason = f"{without} of {drugs} clinical and branded drugs have no ingredient"
        raise IndexFault(f"{relations}: {reason}: the file is cut off, or of another release")
    return ImportedCounts(
        concepts=_count(database, "SELECT count(*) FROM concept"),
        ingredients=_count(database, "SELECT count(*) FROM concept WHERE tty = 'IN'"),
        drugs=drugs,
        resolved=drugs - without,
    )


def _count(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])


def _insert(database: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            database.executemany(statement, batch)
            batch.clear()
    database.executemany(statement, batch)


# ---------------------------------------------------------------- the files


def _concepts(path: Path) -> Iterator[tuple[object, ...]]:
    """Yield code, term type, name and whether it is in force, of RxNorm's own names."""
    for number, cells in _lines(path, _CONSO_COLUMNS):
        code, language, source, term_type, name, suppress = (cells[i] for i in (0, 1, 11, 12, 14, 16))
        if source != "RXNORM" or language != "ENG" or term_type not in _TERM_TYPES or suppress not in _TAKEN:
            continue
        if not _is_code(code) or not name:
            raise IndexFault(f"{path}: line {number}: a code and a name are needed")
        yield int(code), term_type, name, int(suppress != "O")


def _links(path: Path) -> Iterator[tuple[int, int]]:
    """Yield both directions of the relations between two concepts."""
    for number, cells in _lines(path, _REL_COLUMNS):
        one, other, relation, source = (cells[i] for i in (0, 4, 7, 10))
        # Relations between atoms have no concepts; those of concepts say the same.
        if source != "RXNORM" or relation not in _RELATIONS or not one or not other:
            continue
        if not _is_code(one) or not _is_code(other):
            raise IndexFault(f"{path}: line {number}: a code is no number")
        yield int(one), int(other)
        yield int(other), int(one)


def _is_code(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _lines(path: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line.

    Raises:
        IndexFault: the file cannot be read, or a line is not of the format or not whole.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                yield number, _cells(f"{path}: line {number}", line, columns)
    except OSError as error:
        raise IndexFault(f"{path}: cannot be read: {error.strerror}") from error


def _cells(where: str, line: bytes, columns: int) -> list[str]:
    if not line.endswith(b"\n"):
        raise IndexFault(f"{where}: the line has no end: the file is cut off")
    try:
        cells = line.decode("utf-8").rstrip("\r\n").split("|")
    except UnicodeDecodeError as error:
        raise IndexFault(f"{where}: not UTF-8") from error
    if len(cells) != columns + 1 or cells[-1]:
        raise IndexFault(f"{where}: {len(cells) - 1} columns, {columns} expected")
    return cells
