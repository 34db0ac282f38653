"""Allergies by name: takes the words of an allergy off a text, and finds the groups of allergens that are left."""

import re

from dosing_service.knowledge.safety import Allergen, Terminology, singular

#: Words that say that it is an allergy, not to what. What is left when they are taken off must be all names: of "not
#: allergic to penicillin" the "not" remains, and nothing is found.
_AROUND = frozenset(
    """a action agent all allergen allergic allergie allergy anaphylaxi anaphylaxis and antibacterial antibiotic any
    by clas class compound derivative disorder drug finding group hypersensitivity in intolerance mechanism medication
    medicine of or product reaction sensitivity severe structure substance the to type with""".split()  # noqa: SIM905 - words are easier to keep in order than quoted ones
)
#: What stands around the name of a single drug.
_KIND = r"allergy|allergic(?: reaction)?|anaphylaxis|hypersensitivity|intolerance|sensitivity|adverse reaction"
_BEFORE = re.compile(rf"(?:severe |drug )?(?:{_KIND})\s*(?:to|with|caused by|due to|:|-)\s+", re.IGNORECASE)
_BEHIND = re.compile(rf"(?:\s+(?:{_KIND})|\s*\((?:substance|finding|disorder|product)\))+\Z", re.IGNORECASE)
#: The name of an allergen is short; so no text takes long to read.
_MOST_CHARACTERS = 200


def bare(text: str) -> str:
    """Return what an allergy is to: ceftriaxone, for ``Allergy to ceftriaxone (finding)`` and ``ceftriaxone allergy``.

    A text that names nothing but an allergy stays as it is.
    """
    given = " ".join(text[:_MOST_CHARACTERS].split())
    return _BEHIND.sub("", _BEFORE.sub("", given, count=1) if _BEFORE.match(given) else given) or given


def named(text: str, terminology: Terminology) -> tuple[Allergen, ...]:
    """Return the groups of allergens that a text is about; none where it holds any other word."""
    words = tuple([word for word in singular(text[:_MOST_CHARACTERS]) if word not in _AROUND])
    found: dict[str, Allergen] = {}
    while words:
        lengths = range(min(len(words), 4), 0, -1)
        length = next((size for size in lengths if words[:size] in terminology.allergen_names), None)
        if length is None:
            return ()
        allergen = terminology.allergen_names[words[:length]]
        found[allergen.name] = allergen
        words = words[length:]
    return tuple(found.values())
