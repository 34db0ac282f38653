"""A small release in the format of RxNorm, and the index made of it.

Codes above 9000000 and their names are invented; the others are facts of RxNorm that the knowledge has as well.
"""

from pathlib import Path

import pytest

from dosing_service.terminology import RxNormIndex
from dosing_service.terminology.release import import_release

FILES = Path(__file__).parent


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> RxNormIndex:
    """The index of the small release."""
    target = tmp_path_factory.mktemp("index") / "rxnorm.sqlite"
    import_release(FILES / "RXNCONSO.RRF", FILES / "RXNREL.RRF", target)
    return RxNormIndex(target)
