"""Drugs by name: reads which drugs a text names, as whole words, the longest name first.

The rule is strict: a name counts only beside words that leave it what it is (numbers, salts, forms, directions). A
drug that is missed is said to be unrecognised; a drug that is mistaken for another would be dosed.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.products import CodedProduct
from dosing_service.knowledge.safety import Drug, DrugName
from dosing_service.model import Value
from dosing_service.terminology.words import SALTS, Words


class Reading(Value, frozen=True):
    """What a text names: drugs in their order, the routes its words are of, and the one product whose name it is.

    ``routes`` is empty where the words say nothing, and ``systemic`` where they name a form for the whole body.
    """

    drugs: tuple[Drug, ...] = ()
    routes: frozenset[str] = frozenset()
    product: CodedProduct | None = None


class _Name(Value, frozen=True):
    """A name as words, its drugs (one, unless it is a combination's), and the routes of a brand."""

    words: tuple[str, ...]
    drugs: tuple[Drug, ...]
    routes: frozenset[str]


_NOTHING = Reading()


class NameBook:
    """The names of the drugs of a knowledge base."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        """Collect the names of RxNorm first, so that an alias never takes one away."""
        self._names: dict[tuple[str, ...], _Name] = {}
        for name, drugs, routes in _named(knowledge):
            words = Words(name).key()
            if words and not (len(words) == 1 and words[0] in SALTS):
                self._names.setdefault(words, _Name(words, drugs, frozenset(routes)))
        self._by_first: dict[str, list[_Name]] = {}
        for item in sorted(self._names.values(), key=lambda item: -len(item.words)):
            self._by_first.setdefault(item.words[0], []).append(item)
        self._products = _products(knowledge)
        self._terminology = knowledge.terminology
        self.local_atc = knowledge.terminology.local_atc
        self.by_code = _codes(knowledge)
        self._doses = frozenset(_substances(knowledge))
        self._ingredients = {code: self._in(product) for code, product in knowledge.coded_products.items()}

    def ingredients_of(self, product: CodedProduct) -> tuple[Drug, ...]:
        """Return the drugs in a coded product: our agents first, then the others that have a name here."""
        return self._ingredients[product.code]

    def _in(self, product: CodedProduct) -> tuple[Drug, ...]:
        named = self.read(product.name).drugs
        ours = [self._agent(id_, named) for id_ in product.agents]
        return (*ours, *(drug for drug in named if drug.agent not in product.agents))

    def _agent(self, id_: str, named: tuple[Drug, ...]) -> Drug:
        """Return the ingredient of an agent: of several (an acid, its ester) the one in the product's name."""
        return next((drug for drug in named if drug.agent == id_), self._terminology.drugs_by_name[id_])

    def counts_as(self, substance: str, drug: Drug) -> bool:
        """Tell whether the strength of a substance (a salt, say) is one that doses of the drug are counted in.

        It is, where the products of the agent are counted in it.
        """
        return drug.agent is not None and (drug.agent, substance.lower()) in self._doses

    def mentioned(self, text: str) -> str | None:
        """Return the first of our agents whose name stands anywhere in a text, whatever its neighbours make of it."""
        words = Words(text)
        found = (self._at(words, position) for position in range(len(words.words)))
        agents = (drug.agent for item in found if item is not None for drug in item.drugs)
        return next((agent for agent in agents if agent is not None), None)

    def read(self, text: str) -> Reading:
        """Return what a text names. No text is remembered."""
        words = Words(text)
        found = list(self._found(words))
        drugs = {key_of(drug): drug for item in found for drug in item.drugs}
        if not drugs:
            return _NOTHING
        routes = words.routes() or _common([item.routes for item in found])
        return Reading(tuple(drugs.values()), routes, self._products.get(_spelled(text)))

    def _found(self, words: Words) -> Iterator[_Name]:
        """Yield the names that stand in a text with the right neighbours."""
        position = told = 0
        while position < len(words.words):
            name = self._at(words, position)
            if name is None:
                position += 1
                continue
            end = _end(words, position + len(name.words))
            if self._fits(words, position, end, told):
                yield name
                told = end
            position = end

    def _at(self, words: Words, position: int) -> _Name | None:
        """Return the longest name that begins at a position."""
        for item in self._by_first.get(words.words[position], ()):
            end = position + len(item.words)
            if tuple(words.words[position:end]) == item.words and "/" not in "".join(words.gaps[position + 1 : end]):
                return item
        return None

    def _fits(self, words: Words, start: int, end: int, told: int) -> bool:
        """Tell whether the neighbours leave a name what it is; ``told`` is where the name before has ended."""
        before = start in (0, told) or words.apart[start] or _leads(words, start - 1)
        if not before or end >= len(words.words) or words.apart[end]:
            return before
        return words.goes_with(end) or self._at(words, end) is not None


def key_of(drug: Drug) -> str:
    """Return what two records of one drug have in common."""
    return drug.rxnorm or (drug.atc[0] if drug.atc else drug.name)


def _leads(words: Words, position: int) -> bool:
    """Tell whether the word before a name may stand there; a salt may not, it belongs to a name nobody knows."""
    return words.goes_with(position) and words.words[position] not in SALTS


def _end(words: Words, end: int) -> int:
    """Return where a name ends with its suffix and salts."""
    if end < len(words.words) and words.is_suffix(end) and words.words[end] not in SALTS:
        end += 1
    while end < len(words.words) and words.is_salt(end):
        end += 1
    return end


def _common(routes: list[frozenset[str]]) -> frozenset[str]:
    """Return the routes of a brand; of several names that all say one, else none."""
    said = [item for item in routes if item]
    return said[0] if said and all(item == said[0] for item in said) else frozenset()


def _named(knowledge: KnowledgeBase) -> Iterator[tuple[str, tuple[Drug, ...], tuple[str, ...]]]:
    terminology = knowledge.terminology
    ingredients = {id(drug): drug for drug in terminology.drugs_by_rxnorm.values()}
    for drug in ingredients.values():
        yield from ((name, (drug,), ()) for name in drug.name.split("; ") if name)
    for item in terminology.names:
        yield item.name, item.drugs, item.routes


def _codes(knowledge: KnowledgeBase) -> dict[str, DrugName]:
    """Return what the further codes stand for: brands, and codes of an agent beside its ingredient."""
    terminology = knowledge.terminology
    found = {code: item for item in terminology.names for code in item.codes}
    for agent in knowledge.agents.values():
        drug = terminology.drugs_by_name.get(agent.id)
        for coding in agent.codings:
            if coding.system == "rxnorm" and drug is not None and coding.code not in terminology.drugs_by_rxnorm:
                found[coding.code] = DrugName(agent.name, drug, (coding.code,), (), coding.verified)
    return found


#: The substance of a product's part: what stands before its strength, without the container and the release.
_SUBSTANCE = re.compile(r"(?:[0-9.]+ (?:ml|hr|actuat) )*(.+?) [0-9.]+ (?:mg|mg/ml)\b.*")


def _substances(knowledge: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """Yield what each agent's doses are counted in: the substances of its products of one ingredient."""
    for product in knowledge.coded_products.values():
        match = _SUBSTANCE.fullmatch(_spelled(product.name))
        if match is not None and len(product.components) == len(product.agents) == 1 and not product.co_ingredients:
            yield product.agents[0], match[1]


def _spelled(text: str) -> str:
    return " ".join(text.lower().split())


def _products(knowledge: KnowledgeBase) -> dict[str, CodedProduct]:
    """Return the products whose name is theirs alone."""
    found: dict[str, CodedProduct] = {}
    shared = set()
    for product in knowledge.coded_products.values():
        name = _spelled(product.name)
        if name in found:
            shared.add(name)
        found[name] = product
    return {name: product for name, product in found.items() if name not in shared}


@lru_cache(maxsize=4)
def name_book(knowledge: KnowledgeBase) -> NameBook:
    """Return the names of a knowledge base, collected once."""
    return NameBook(knowledge)
