"""A local index of a public RxNorm release: from any of its codes to the ingredients. Read-only.

It is optional. Without it the service knows the products of its own agents and the ingredients of its interactions.
"""

import os
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path

from dosing_service.errors import DosingError
from dosing_service.model import Value

#: Marks a file as such an index ("DsRx") and says which tables it has; another number is refused.
APPLICATION_ID = 0x44735278
FORMAT = 1
#: An RxCUI has seven or eight digits; nothing longer is looked up.
_LONGEST_CODE = 12


class IndexFault(DosingError):
    """A file is no index of this version, or cannot be read."""


class IndexedStrength(Value, frozen=True):
    """The strength of one component: a number in RxNorm's unit (``MG``, ``MG/ML``) of a substance."""

    substance: str
    value: Decimal
    unit: str


class IndexedDrug(Value, frozen=True):
    """A code of RxNorm: its term type, its name, its ingredients (code and name), and its strengths where simple."""

    code: str
    term_type: str
    name: str
    ingredients: tuple[tuple[str, str], ...]
    strengths: tuple[IndexedStrength, ...]


class RxNormIndex:
    """An index file; every thread and every process opens it for itself."""

    def __init__(self, path: str | Path) -> None:
        """Check the file.

        Raises:
            IndexFault: there is no such file, or it is not an index of this version.
        """
        self.path = Path(path)
        self._local = threading.local()
        try:
            self._check()
        finally:
            self.close()

    def _check(self) -> None:
        if not self.path.is_file():
            raise IndexFault("the file does not exist")
        try:
            (mark,) = self._connection().execute("PRAGMA application_id").fetchone()
            (version,) = self._connection().execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise IndexFault("the file is no RxNorm index") from error
        if mark != APPLICATION_ID:
            raise IndexFault("the file is no RxNorm index")
        if version != FORMAT:
            raise IndexFault("the index is of another version of this service; import the release again")

    def close(self) -> None:
        """Close this thread's connection; the next look-up opens another."""
        opened = getattr(self._local, "opened", None)
        if opened is not None and opened[0] == os.getpid():
            opened[1].close()
        self._local.opened = None

    def lookup(self, code: str) -> IndexedDrug | None:
        """Return what a code stands for; ``None`` for one that the release does not have.

        Raises:
            IndexFault: the file cannot be read any more.
        """
        if not code.isascii() or not code.isdigit() or len(code) > _LONGEST_CODE:
            return None
        try:
            return self._found(code)
        except sqlite3.Error as error:
            raise IndexFault("the RxNorm index cannot be read") from error

    def _found(self, code: str) -> IndexedDrug | None:
        connection = self._connection()
        concept = connection.execute("SELECT tty, name FROM concept WHERE rxcui = ?", (code,)).fetchone()
        if concept is None:
            return None
        ingredients = connection.execute(
            "SELECT i.ingredient, c.name FROM ingredient i JOIN concept c ON c.rxcui = i.ingredient"
            " WHERE i.rxcui = ? ORDER BY c.name, i.ingredient",
            (code,),
        ).fetchall()
        strengths = connection.execute(
            "SELECT substance, value, unit FROM strength WHERE rxcui = ? ORDER BY substance, value, unit", (code,)
        ).fetchall()
        return IndexedDrug(
            code=code,
            term_type=concept[0],
            name=concept[1],
            ingredients=tuple((str(number), name) for number, name in ingredients),
            strengths=tuple(IndexedStrength(substance, Decimal(value), unit) for substance, value, unit in strengths),
        )

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection. One made before a fork must not be used after it."""
        opened: tuple[int, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != os.getpid():
            # Immutable: nothing writes the file (an import replaces it by another), so no locks are needed and the
            # folder may be read-only.
            uri = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            opened = (os.getpid(), sqlite3.connect(uri, uri=True))
            self._local.opened = opened
        return opened[1]
