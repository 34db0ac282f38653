"""Names in text: what the tables of drugs do not show."""

from dataclasses import replace

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.terminology import NameBook, name_book
from dosing_service.terminology.words import Words


def test_name_of_two_products_is_neither(knowledge: KnowledgeBase) -> None:
    """Of two codes with one name the text does not say which is meant; the ingredient it does."""
    product = knowledge.coded_products["831103"]
    twin = replace(product, code="1")
    reading = NameBook(replace(knowledge, coded_products={"831103": product, "1": twin})).read(product.name)

    assert reading.product is None
    assert [drug.agent for drug in reading.drugs] == ["diltiazem"]


def test_names_are_collected_once(knowledge: KnowledgeBase) -> None:
    """The names of a knowledge base are read from it once."""
    assert name_book(knowledge) is name_book(knowledge)


def test_long_text_is_cut(knowledge: KnowledgeBase) -> None:
    """What no drug's name is as long as is left out; a compatibility character may stand for many others."""
    assert len(Words("ab " * 10_000).words) == 96
    assert len("".join(Words("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 500).words)) <= 512
    assert name_book(knowledge).read("x " * 200 + "warfarin").drugs == ()
