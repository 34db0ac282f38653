"""By which route an order is given."""

from collections.abc import Mapping
from typing import Any

from dosing_service.fhir.elements import codings, label
from dosing_service.systems import SNOMED

_HL7 = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"
_SNOMED_ROUTES = {
    "26643006": "oral",
    "47625008": "intravenous",
    "34206005": "subcutaneous",
    "78421000": "intramuscular",
    "372466002": "intralesional",
    "6064005": "topical",
    "37161004": "rectal",
    "46713006": "nasal",
    "54485002": "ophthalmic",
    "10547007": "otic",
    "72607000": "intrathecal",
    "447694001": "inhalation",
    # Routes that no regimen here has: transdermal, sublingual, buccal, vaginal, into a joint, artery, belly or womb.
    **dict.fromkeys(("45890007", "37839007", "54471007", "16857009", "12130007", "58100008"), "other"),
    **dict.fromkeys(("38239002", "62226000"), "other"),
}
_HL7_ROUTES = {
    "PO": "oral",
    "IM": "intramuscular",
    "SQ": "subcutaneous",
    "IVINJ": "intravenous",
    "IVINJBOL": "intravenous",
    "IVPUSH": "intravenous",
    "IVRPUSH": "intravenous",
    "IVSPUSH": "intravenous",
    "TRNSDERM": "other",
}
_WORDS = {
    **dict.fromkeys(("oral", "oral route", "orally", "by mouth", "per os", "po", "p.o.", "swallow, oral"), "oral"),
    **dict.fromkeys(("intravenous", "intravenous route", "intravenously", "iv", "i.v."), "intravenous"),
    **dict.fromkeys(("intravenous use", "injection, intravenous"), "intravenous"),
    **dict.fromkeys(("subcutaneous", "subcutaneous route", "subcutaneously", "sc", "subcut"), "subcutaneous"),
    **dict.fromkeys(("subcutaneous use", "injection, subcutaneous"), "subcutaneous"),
    **dict.fromkeys(("intramuscular", "intramuscular route", "intramuscularly", "im", "i.m."), "intramuscular"),
    **dict.fromkeys(("intramuscular use", "injection, intramuscular"), "intramuscular"),
    **dict.fromkeys(("intralesional", "intralesional route", "intralesional use"), "intralesional"),
    **dict.fromkeys(("topical", "topical route", "topically", "cutaneous", "cutaneous use"), "topical"),
    **dict.fromkeys(("rectal", "rectal route", "per rectum", "pr"), "rectal"),
    **dict.fromkeys(("nasal", "nasal route", "intranasal"), "nasal"),
    **dict.fromkeys(("ophthalmic", "ophthalmic route"), "ophthalmic"),
    **dict.fromkeys(("otic", "otic route"), "otic"),
    **dict.fromkeys(("inhalation", "respiratory tract route", "inhaled"), "inhalation"),
    **dict.fromkeys(("intrathecal", "intrathecal route"), "intrathecal"),
    **dict.fromkeys(("transdermal", "sublingual", "buccal", "vaginal", "intra-articular"), "other"),
}
#: A lesion in the skin is injected "intradermally" by some and "intralesionally" by others.
_INTRADERMAL = {"372464004", "IDINJ"}
_INTRADERMAL_WORDS = {"intradermal", "intradermal route", "intradermally", "injection, intradermal"}
_SWALLOW = "421521009"


def route(dosage: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the route of a dosage in the words of an order, and a sentence where it was given and not understood."""
    given = dosage.get("route")
    if given is None:
        return _by_method(dosage.get("method")), None
    found = _known(given)
    if found is not None:
        return found, None
    if _is_intradermal(given):
        return None, "the route is intradermal, which may mean into the lesion; the route was left open"
    return None, "the route was not recognised; the order was judged as if its route had been left out"


def _known(given: Any) -> str | None:
    for system, code, _ in codings(given):
        table = _SNOMED_ROUTES if system == SNOMED else _HL7_ROUTES if system == _HL7 else {}
        if code in table:
            return table[code]
    return next((_WORDS[name] for name in _names(given) if name in _WORDS), None)


def _names(given: Any) -> list[str]:
    shown = [display for _, _, display in codings(given)]
    return [name.lower().removesuffix(" (qualifier value)") for name in (label(given), *shown) if name]


def _is_intradermal(given: Any) -> bool:
    by_code = any(code in _INTRADERMAL for _, code, _ in codings(given))
    return by_code or any(name in _INTRADERMAL_WORDS for name in _names(given))


def _by_method(method: Any) -> str | None:
    """Return oral for what is to be swallowed; no other method says by which route."""
    swallows = any(system == SNOMED and code == _SWALLOW for system, code, _ in codings(method))
    return "oral" if swallows or (label(method) or "").lower() == "swallow" else None
