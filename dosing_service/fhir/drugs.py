"""Which drug a record means: by its codes, and by its text as a last resort.

A code and a text that name different drugs are a conflict: nothing is dosed then. A strength comes from a recognised
product alone, never from a text or from an ingredient.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.name_loader import acts_locally, local_codes
from dosing_service.knowledge.products import CodedProduct
from dosing_service.knowledge.safety import Drug as Ingredient
from dosing_service.model import Coding, Value
from dosing_service.rules.wording import join
from dosing_service.systems import ATC, RXNORM, SNOMED
from dosing_service.terminology import IndexedDrug, IndexFault, NameBook, Reading, RxNormIndex, name_book
from dosing_service.terminology.names import key_of

#: The names that a terminology goes by. NDC is known and stands for packages, which are not mapped here: such a code
#: says nothing, its text may.
_SYSTEMS = {
    RXNORM: RXNORM,
    "2.16.840.1.113883.6.88": RXNORM,
    ATC: ATC,
    "2.16.840.1.113883.6.73": ATC,
    SNOMED: SNOMED,
    "2.16.840.1.113883.6.96": SNOMED,
}
NDC_SYSTEMS = frozenset({"http://hl7.org/fhir/sid/ndc", "urn:oid:2.16.840.1.113883.6.69", "2.16.840.1.113883.6.69"})
#: A level of ATC: from the main group to the substance.
_ATC = re.compile(r"[A-Z][0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?")
#: Nobody codes a drug so often; what is beyond is left out.
_MOST_CODINGS = 50
_LONGEST_CODE = 64
_LONGEST_NAME = 200
#: What a drug is called of which a record says nothing.
NAMELESS = "a drug without a name"
#: What a dose is counted in, by the form of a product of which each piece has a strength.
_PIECES = (("tablet", "{tablet}"), ("capsule", "{capsule}"), ("injection", "{vial}"))

#: The term types of which one piece or millilitre has a strength; a pack has none.
_WITH_STRENGTH = {"SCD", "SBD"}
#: The term types that name all ingredients; beside the code of one ingredient there may be others.
_PRODUCTS = {*_WITH_STRENGTH, "GPCK", "BPCK", "SCDF", "SBDF", "MIN"}

_Record = tuple[str | None, str | None, str | None]


class Drug(Value, frozen=True):
    """What a record's drug was recognised as.

    ``coding`` is a product code that the knowledge has, else the ingredient (RxNorm, ATC or an agent's id); ``None``
    where nothing was recognised, or where ``conflict`` says why nothing may be dosed. ``by`` is ``code``, ``name`` or
    ``None``. ``is_local`` tells that the drug acts where it is put and is no systemic treatment. ``strength`` is the
    milligrams in one ``{tablet}``, ``{capsule}``, ``{vial}`` or ``mL``. ``also`` are the other ingredients: a list of
    medication counts them as well, and all of them where ``coding`` is ``None``.
    """

    coding: Coding | None
    name: str
    by: str | None
    is_local: bool
    conflict: str | None
    strength: tuple[Decimal, str] | None
    also: tuple[Coding, ...] = ()


class _Claim(Value, frozen=True):
    """What one code or text says: the ingredients, whether these are all, the routes, and the product.

    ``indexed`` is a product of the local index, ``coding`` an ATC or SNOMED CT code as it was sent.
    """

    ingredients: tuple[Ingredient, ...]
    is_whole: bool = False
    routes: frozenset[str] = frozenset()
    product: CodedProduct | None = None
    indexed: IndexedDrug | None = None
    coding: Coding | None = None

    @property
    def keys(self) -> frozenset[str]:
        """What the ingredients are compared by."""
        return frozenset([key_of(item) for item in self.ingredients])

    @property
    def atc(self) -> str | None:
        """The ATC code that was sent."""
        return self.coding.code if self.coding is not None and self.coding.system == ATC else None

    def words(self) -> str:
        """Return the ingredients for people."""
        return join([_called(item) for item in self.ingredients])

    def called(self) -> str:
        """Return what we call the drug: by its product, its ingredients, or its code where neither is known."""
        if self.product is not None:
            return self.product.name
        return self.words() if self.ingredients or self.coding is None else self.coding.code


class _Conflict(Exception):
    """What the record says contradicts itself; the message is a sentence for people."""


def identify(
    codings: Sequence[tuple[str | None, str | None, str | None]],
    text: str | None,
    knowledge: KnowledgeBase,
    index: RxNormIndex | None = None,
) -> Drug:
    """Return the drug that codings (system, code, display) and a text stand for.

    Never raises: values of another type, unknown codes and unknown names are passed over.
    """
    records = tuple([_record(item) for item in codings[:_MOST_CODINGS]])
    said = text if isinstance(text, str) else None
    try:
        return _identified(records, said, knowledge, index)
    except IndexFault:
        # The file went away while the service runs; what the knowledge knows by itself still holds.
        return _identified(records, said, knowledge, None)


def _record(item: object) -> _Record:
    """Return a coding as three texts; anything else in its place is nothing."""
    parts = item if isinstance(item, tuple | list) and len(item) == 3 else (None, None, None)
    system, code, display = (part.strip() if isinstance(part, str) else None for part in parts)
    return system or None, code or None, display or None


def _identified(
    records: tuple[_Record, ...], text: str | None, knowledge: KnowledgeBase, index: RxNormIndex | None
) -> Drug:
    """Return the drug. Nothing is remembered: the texts are a record's own, and may say more than a drug."""
    book = name_book(knowledge)
    found = (_of_code(system, code, knowledge, index) for system, code, _ in records)
    codes = [claim for claim in found if claim is not None]
    readings = [book.read(item) for item in _texts(records, text)]
    texts = [claim for reading in readings if (claim := _of_text(reading, book)) is not None]
    name = _name(records, text, [*codes, *texts])
    by = "code" if any(claim.ingredients for claim in codes) else "name" if texts else "code" if codes else None
    try:
        return _drug(_parts(codes, texts), codes, texts, (name, by), book)
    except _Conflict as conflict:
        return Drug(None, name, by, is_local=False, conflict=str(conflict), strength=None)


def _texts(records: Iterable[_Record], text: str | None) -> list[str]:
    return list(dict.fromkeys(item for item in (text, *(display for _, _, display in records)) if item))


def _name(records: tuple[_Record, ...], text: str | None, claims: list[_Claim]) -> str:
    """Return what people call the drug: as the record does, else as we do, else its code."""
    for item in _texts(records, text):
        words = " ".join("".join(letter if letter.isprintable() else " " for letter in item[:_LONGEST_NAME]).split())
        if words:
            return words
    return claims[0].called() if claims else NAMELESS


# ---------------------------------------------------------------- what a code or a text says


def _of_code(
    system: str | None, code: str | None, knowledge: KnowledgeBase, index: RxNormIndex | None
) -> _Claim | None:
    """Return what a code stands for; ``None`` for a code, or a terminology, that is not known here."""
    if system is None or code is None or len(code) > _LONGEST_CODE:
        return None
    known = _SYSTEMS.get(system.lower().removeprefix("urn:oid:").rstrip("/").replace("https:", "http:", 1))
    if known == RXNORM:
        return _of_rxnorm(code, knowledge, index)
    if known == ATC:
        return _of_atc(code.upper().replace(" ", ""), knowledge)
    drug = knowledge.terminology.drugs_by_snomed.get(code) if known == SNOMED else None
    if drug is not None:
        return _Claim((drug,))
    asked = known == SNOMED and code in knowledge.terminology.substances
    return _Claim((), coding=Coding(code, SNOMED)) if asked else None


def _of_rxnorm(code: str, knowledge: KnowledgeBase, index: RxNormIndex | None) -> _Claim | None:
    product = knowledge.coded_products.get(code)
    if product is not None:
        return _of_product(product, name_book(knowledge))
    terminology = knowledge.terminology
    drug = terminology.drugs_by_rxnorm.get(code)
    if drug is not None:
        return _Claim((drug,))
    named = name_book(knowledge).by_code.get(code)
    if named is not None:
        return _Claim(named.drugs, routes=frozenset(named.routes))
    indexed = index.lookup(code) if index is not None else None
    if indexed is None or not indexed.ingredients:
        return None
    known = terminology.drugs_by_rxnorm
    parts = tuple(known.get(number) or Ingredient(name, number, (), None) for number, name in indexed.ingredients)
    routes = name_book(knowledge).read(indexed.name).routes
    return _Claim(parts, is_whole=indexed.term_type in _PRODUCTS, routes=routes, indexed=indexed)


def _of_product(product: CodedProduct, book: NameBook) -> _Claim:
    ingredients = book.ingredients_of(product)
    return _Claim(ingredients, is_whole=True, routes=frozenset({product.route}), product=product)


def _of_atc(code: str, knowledge: KnowledgeBase) -> _Claim | None:
    if not _ATC.fullmatch(code):
        return None
    current = knowledge.terminology.atc_aliases.get(code, code)
    drug = knowledge.terminology.drugs_by_atc.get(current)
    return _Claim((drug,) if drug else (), coding=Coding(current, ATC))


def _of_text(reading: Reading, book: NameBook) -> _Claim | None:
    """Return what a text says; one that is a product's very name in RxNorm is that product."""
    if reading.product is not None:
        return _of_product(reading.product, book)
    return _Claim(reading.drugs, routes=reading.routes) if reading.drugs else None


# ---------------------------------------------------------------- what follows from all of them


def _parts(codes: list[_Claim], texts: list[_Claim]) -> tuple[Ingredient, ...]:
    """Return the ingredients that all claims agree on.

    Raises:
        _Conflict: they name different drugs.
    """
    whole = max((claim for claim in codes if claim.is_whole), key=lambda claim: len(claim.keys), default=None)
    if whole is not None:
        for claim in (*codes, *texts):
            if not _is_within(claim, whole.ingredients):
                raise _Conflict(_against_code(whole, claim) if claim in texts else _of_codes([whole, claim]))
        return whole.ingredients
    return _united([claim for claim in codes if claim.ingredients], texts)


def _is_within(claim: _Claim, ingredients: tuple[Ingredient, ...]) -> bool:
    """Tell whether a claim names nothing but these ingredients. One ATC code may stand for several of them."""
    if claim.atc is not None and any(claim.atc in item.atc for item in ingredients):
        return True
    return claim.keys <= {key_of(item) for item in ingredients}


def _united(codes: list[_Claim], texts: list[_Claim]) -> tuple[Ingredient, ...]:
    """Return what codes of single ingredients and texts name together.

    A text may name more than the codes: the product is a combination. Codes of different drugs of which no text says
    that they belong together contradict each other.
    """
    exact = [claim for claim in codes if claim.atc is None]
    precise = _merged(exact or texts)
    named = [claim for claim in codes if claim.atc is None or not _is_within(claim, precise)]
    coded = _merged(named)
    for claim in texts:
        _check_overlap(claim, named, texts)
    spelled_out = any(_is_within(_Claim(coded), item.ingredients) for item in texts)
    if len(coded) > 1 and _ours(coded) and not spelled_out:
        raise _Conflict(_of_codes(named))
    return _merged([*named, *texts])


def _check_overlap(claim: _Claim, named: list[_Claim], texts: list[_Claim]) -> None:
    """Refuse a text that has nothing in common with the codes or, where there are none, with another text."""
    if named:
        if not claim.keys & _Claim(_merged(named)).keys:
            raise _Conflict(_against_code(_Claim(_merged(named)), claim))
        return
    for other in texts:
        if not claim.keys & other.keys:
            raise _Conflict(f"the texts name different drugs: {_Claim(_merged(texts)).words()}")


def _merged(claims: Iterable[_Claim]) -> tuple[Ingredient, ...]:
    return tuple({key_of(item): item for claim in claims for item in claim.ingredients}.values())


def _ours(ingredients: Iterable[Ingredient]) -> list[Ingredient]:
    return [item for item in ingredients if item.agent is not None]


def _called(drug: Ingredient) -> str:
    return drug.name or drug.agent or f"ATC {drug.atc[0]}"


def _of_codes(claims: Iterable[_Claim]) -> str:
    return f"the codes are of different drugs: {_Claim(_merged(claims)).words()}"


def _against_code(code: _Claim, text: _Claim) -> str:
    return f"the code is of {code.words()}, the text names {text.words()}"


# ---------------------------------------------------------------- the answer


def _drug(
    parts: tuple[Ingredient, ...],
    codes: list[_Claim],
    texts: list[_Claim],
    said: tuple[str, str | None],
    book: NameBook,
) -> Drug:
    """Return the drug of which the ingredients are ``parts``; ``said`` are its name and what it was recognised by."""
    name, by = said
    claims = [*codes, *texts]
    product = _product(claims)
    ours = _ours(parts)
    if product is None and len(ours) > 1:
        reason = f"it holds {join([_called(item) for item in ours])}, and no code says how much of each"
        return Drug(None, name, by, is_local=False, conflict=reason, strength=None, also=_codings(parts))
    if not parts:
        coding = next((claim.coding for claim in claims if claim.coding is not None), None)
        is_local = coding is not None and coding.system == ATC and coding.code.startswith(book.local_atc)
        return Drug(coding, name, by, is_local=is_local, conflict=None, strength=None)
    main = next((item for item in (*ours, *parts) if item.agent or item.atc), parts[0])
    routes = _routes(product, claims)
    local = _local_coding(main, routes, claims, book)
    coding = Coding(product.code, RXNORM) if product is not None else local or _coding(main)
    return Drug(
        coding=coding,
        name=name,
        by=by,
        is_local=local is not None or bool(routes and all(acts_locally(route, main) for route in routes)),
        conflict=None,
        strength=_strength(product) if product is not None else _indexed_strength(claims, main, book),
        also=_codings(item for item in parts if item is not main),
    )


def _coding(drug: Ingredient) -> Coding | None:
    """Return the code of an ingredient; ``None`` for a name that stands for no code here."""
    if drug.rxnorm is not None:
        return Coding(drug.rxnorm, RXNORM)
    return Coding(drug.atc[0], ATC) if drug.atc else None


def _codings(ingredients: Iterable[Ingredient]) -> tuple[Coding, ...]:
    found = (_coding(item) for item in ingredients)
    return tuple([item for item in found if item is not None])


def _product(claims: list[_Claim]) -> CodedProduct | None:
    """Return the product, if what all claims say of it is one content: which of two strengths is meant is not known."""
    products = [claim.product for claim in claims if claim.product is not None]
    contents = {_content(item) for item in products}
    return products[0] if len(contents) == 1 else None


def _content(product: CodedProduct) -> tuple[object, ...]:
    """Return what two codes of one product share; a brand and its clinical drug do."""
    components = tuple((item.agent, item.strength, item.per) for item in product.components)
    return components, product.agents, product.route, product.release, product.container_ml


def _routes(product: CodedProduct | None, claims: list[_Claim]) -> frozenset[str]:
    """Return the routes: of the product, else of the first claim that says any. Codes come before texts."""
    if product is not None:
        return frozenset({product.route})
    return next((claim.routes for claim in claims if claim.routes), frozenset())


def _local_coding(main: Ingredient, routes: frozenset[str], claims: list[_Claim], book: NameBook) -> Coding | None:
    """Return the ATC code of a drug that acts where it is put: as it was sent, else by the route of form or text."""
    sent = [claim.coding for claim in claims if claim.coding is not None and claim.atc is not None]
    if sent and not routes and all(item.code.startswith(book.local_atc) for item in sent):
        return sent[0]
    if not routes or not all(acts_locally(route, main) for route in routes):
        return None
    codes = [code for route in sorted(routes) for code in local_codes(route, main)]
    same = [item for item in sent if item.code in codes]
    return same[0] if same else Coding(codes[0], ATC) if codes else None


def _strength(product: CodedProduct) -> tuple[Decimal, str] | None:
    """Return how many milligrams of the one agent a piece or a millilitre holds."""
    if len(product.components) != 1 or len(product.agents) != 1:
        return None
    component = product.components[0]
    per = _counted(product.form) if component.per == "each" else "mL" if component.per == "mL" else None
    return (component.strength, per) if per is not None else None


def _counted(form: str) -> str | None:
    words = form.lower()
    return next((unit for word, unit in _PIECES if word in words), None)


def _indexed_strength(claims: list[_Claim], main: Ingredient, book: NameBook) -> tuple[Decimal, str] | None:
    """Return the strength that the local index has of one ingredient, where it counts what the agent's doses count.

    A release knows strengths of salts and esters as well, which are no doses of the agent.
    """
    found = set()
    for claim in claims:
        indexed = claim.indexed
        if indexed is None or indexed.term_type not in _WITH_STRENGTH:
            continue
        if len(claim.ingredients) != 1 or len(indexed.strengths) != 1:
            return None
        strength = indexed.strengths[0]
        per = "mL" if strength.unit == "MG/ML" else _counted(indexed.name) if strength.unit == "MG" else None
        if per is None or not book.counts_as(strength.substance, main):
            return None
        found.add((strength.value, per))
    return found.pop() if len(found) == 1 else None
