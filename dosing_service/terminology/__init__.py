"""Drugs by what others call them: names in text, and the codes of a local RxNorm release."""

from dosing_service.errors import SettingsError
from dosing_service.terminology.index import IndexedDrug, IndexedStrength, IndexFault, RxNormIndex
from dosing_service.terminology.names import NameBook, Reading, name_book

__all__ = [
    "IndexFault",
    "IndexedDrug",
    "IndexedStrength",
    "NameBook",
    "Reading",
    "RxNormIndex",
    "configured_index",
    "name_book",
]


def configured_index(path: str | None) -> RxNormIndex | None:
    """Return the index that the setting ``DOSING_RXNORM_INDEX`` names, ``None`` where it names none.

    Raises:
        SettingsError: the file is missing or is no index of this version.
    """
    if not path:
        return None
    try:
        return RxNormIndex(path)
    except IndexFault as fault:
        raise SettingsError(f"DOSING_RXNORM_INDEX is the path of an index: {fault}") from fault
