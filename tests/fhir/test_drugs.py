"""Which drug a record means: by code, by name, and not at all where the two contradict each other."""

import csv
import sys
import timeit
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing_service.fhir.drugs import NDC_SYSTEMS, Drug, identify
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.name_loader import BRANDS
from dosing_service.model import Coding, Order, OrderedDose, OrderedFrequency, OrderRequest, Patient, Per
from dosing_service.service import check_orders
from dosing_service.systems import ATC, RXNORM, SNOMED
from dosing_service.terminology import IndexFault, RxNormIndex, name_book
from dosing_service.terminology.release import import_release

HERE = Path(__file__).parent
RELEASE = HERE.parent / "terminology"
RXNORM_OID, ATC_OID = "urn:oid:2.16.840.1.113883.6.88", "urn:oid:2.16.840.1.113883.6.73"


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


TEXTS = list(rows(HERE / "drug_texts.csv"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> RxNormIndex:
    """The index of the small release."""
    target = tmp_path_factory.mktemp("index") / "rxnorm.sqlite"
    import_release(RELEASE / "RXNCONSO.RRF", RELEASE / "RXNREL.RRF", target)
    return RxNormIndex(target)


def code_of(drug: Drug) -> str | None:
    return drug.coding.code if drug.coding else None


# ---------------------------------------------------------------- every product, every brand


def test_every_product_is_its_agent_by_code(knowledge: KnowledgeBase) -> None:
    """Each product code is itself, holds its agents, and agrees with its own name."""
    for product in knowledge.coded_products.values():
        found = identify([(RXNORM, product.code, product.name)], product.name, knowledge)
        ingredients = name_book(knowledge).ingredients_of(product)

        assert found.coding == Coding(product.code, RXNORM), product.name
        assert (found.by, found.conflict, found.name) == ("code", None, product.name)
        assert product.agents == tuple(item.agent for item in ingredients if item.agent), product.name


def test_every_product_is_its_agent_by_name(knowledge: KnowledgeBase) -> None:
    """A name that is one product's alone is that product, whatever its lettering; without it, still the agent."""
    names = Counter(product.name.lower() for product in knowledge.coded_products.values())
    book = name_book(knowledge)
    for product in knowledge.coded_products.values():
        if names[product.name.lower()] > 1:
            continue
        found = identify([], f" {product.name.upper()} ", knowledge)
        read = book.read(f"{product.name} ...")

        assert found.coding == Coding(product.code, RXNORM), product.name
        assert found.by == "name"
        assert set(product.agents) == {item.agent for item in read.drugs if item.agent}, product.name


def test_every_brand_is_its_ingredient(knowledge: KnowledgeBase) -> None:
    """Each brand is its ingredient by name and by code; those for animals stand for no drug of a person."""
    path = HERE.parents[1] / "dosing_service" / "knowledge" / BRANDS
    for row in rows(path):
        by_name = [item.rxnorm for item in name_book(knowledge).read(row["brand"]).drugs]

        assert by_name == ([] if row["veterinary"] == "yes" else [row["rxnorm"]]), row["brand"]
        if row["brand_code"] and row["veterinary"] == "no":
            by_code = identify([(RXNORM, row["brand_code"], None)], None, knowledge)
            agent = knowledge.terminology.drugs_by_rxnorm[row["rxnorm"]].agent
            assert by_code.by == "code"
            assert agent in _agents_of(by_code, knowledge), row["brand"]


def _agents_of(drug: Drug, knowledge: KnowledgeBase) -> set[str | None]:
    terminology = knowledge.terminology
    assert drug.coding is not None
    known = terminology.drugs_by_rxnorm if drug.coding.system == RXNORM else terminology.drugs_by_atc
    return {known[drug.coding.code].agent}


def test_every_ingredient_is_itself_by_name(knowledge: KnowledgeBase) -> None:
    """Each ingredient of the terminology is found by each of its names beside a strength; a bare salt is not."""
    book = name_book(knowledge)
    for drug in {id(item): item for item in knowledge.terminology.drugs_by_rxnorm.values()}.values():
        for name in filter(None, drug.name.split("; ")):
            expected = [] if name == "trometamol" else [drug.rxnorm]
            assert expected == [item.rxnorm for item in book.read(f"{name} 5 MG Oral Tablet").drugs], name


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize("row", TEXTS, ids=[f"{row['rule']}-{row['text'][:50]}" for row in TEXTS])
def test_text_is_read_by_whole_words(knowledge: KnowledgeBase, row: dict[str, str]) -> None:
    """A text is the drug that it names, the longest name first; what is not certain is not recognised."""
    found = identify([], row["text"], knowledge)
    expected = None if row["expect"] in {"none", "several"} else row["expect"]

    assert expected == code_of(found), row["why"]
    assert (row["expect"] == "several") == (found.conflict is not None), row["why"]
    assert (row["local"] == "yes") == found.is_local, row["why"]
    assert found.by == (None if row["expect"] == "none" and not found.by else "name")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (None, "BACTRIM DS 800-160 MG PO TABS"),
        (None, "Co-trimoxazole 960mg tablets"),
        (None, "SMX-TMP"),
        ("208416", "BACTRIM DS 800-160 MG PO TABS"),
        ("198335", None),
        ("10180", "Bactrim"),
    ],
)
def test_name_of_a_combination_is_all_its_ingredients(knowledge: KnowledgeBase, code: str | None, text: str) -> None:
    """Co-trimoxazole is sulfamethoxazole (10180) and trimethoprim (10829), of which methotrexate must know both."""
    found = identify([(RXNORM, code, None)] if code else [], text, knowledge)

    assert found.conflict is None
    assert {item.code for item in (found.coding, *found.also) if item} == {"10180", "10829"}


def test_code_and_text_may_stand_beside_each_other(knowledge: KnowledgeBase) -> None:
    """The text of each row agrees with the ingredient that it names, given as a code."""
    for row in TEXTS:
        if row["expect"].isdecimal() and row["expect"] in knowledge.terminology.drugs_by_rxnorm:
            found = identify([(RXNORM, row["expect"], row["text"])], None, knowledge)
            assert (found.conflict, found.by) == (None, "code"), row["text"]


# ---------------------------------------------------------------- codes


@pytest.mark.parametrize(
    ("system", "code", "expected", "why"),
    [
        (RXNORM, "3443", (RXNORM, "3443"), "an ingredient"),
        (RXNORM_OID, "3443", (RXNORM, "3443"), "rule 39: the oid of RxNorm"),
        ("2.16.840.1.113883.6.88", "3443", (RXNORM, "3443"), "the oid without urn:oid:"),
        (f"{RXNORM}/", " 3443 ", (RXNORM, "3443"), "a slash and spaces"),
        ("https://www.nlm.nih.gov/research/umls/rxnorm", "3443", (RXNORM, "3443"), "with https"),
        (RXNORM.upper(), "3443", (RXNORM, "3443"), "in capitals"),
        (RXNORM, "203211", (RXNORM, "3443"), "the salt is the ingredient"),
        (RXNORM, "831103", (RXNORM, "831103"), "a product is kept"),
        (RXNORM, "203494", (RXNORM, "3443"), "a brand is its ingredient"),
        (RXNORM, "1426680", (RXNORM, "5666"), "a second code of an agent"),
        (RXNORM, "6809", (RXNORM, "6809"), "a drug of interactions"),
        (RXNORM, "123456789", None, "no code of ours"),
        (ATC, "C08DB01", (RXNORM, "3443"), "ATC"),
        (ATC_OID, "c08db01", (RXNORM, "3443"), "rule 39: the oid of ATC, in small letters"),
        (ATC, "L01XC02", (RXNORM, "121191"), "a former code of rituximab"),
        (ATC, "L01CX01", (ATC, "L01CX01"), "a substance without RxNorm code"),
        (ATC, "C08", (ATC, "C08"), "a group"),
        (ATC, "diltiazem", None, "no code"),
        (SNOMED, "372793000", (RXNORM, "3443"), "SNOMED CT, where known"),
        ("urn:oid:2.16.840.1.113883.6.96", "372793000", (RXNORM, "3443"), "the oid of SNOMED CT"),
        (SNOMED, "111111111111", None, "not known"),
        ("http://hl7.org/fhir/sid/ndc", "00006-0031-44", None, "rule 39: NDC is known and not mapped"),
        ("urn:oid:2.16.840.1.113883.6.69", "00006003144", None, "NDC by its oid"),
        ("http://example.org/formulary", "3443", None, "another list uses the same number"),
        (None, "3443", None, "no system"),
        (RXNORM, None, None, "no code"),
        (RXNORM, "9" * 500, None, "too long"),
    ],
)
def test_rule_39_systems(
    knowledge: KnowledgeBase, system: str | None, code: str | None, expected: tuple[str, str] | None, why: str
) -> None:
    """A code counts in the terminologies that are known here, however their names are spelled, and in no other."""
    found = identify([(system, code, None)], None, knowledge)

    assert (found.coding and (found.coding.system, found.coding.code)) == expected, why
    assert found.by == ("code" if expected else None)


def test_ndc_systems_are_known() -> None:
    """The names of NDC are there for those who tell a reader why a code says nothing."""
    assert "http://hl7.org/fhir/sid/ndc" in NDC_SYSTEMS


def test_substance_of_an_allergy_rule_is_kept(knowledge: KnowledgeBase) -> None:
    """A SNOMED CT substance that rules ask about, and that is no drug of the terminology, is handed on as it is."""
    terminology = knowledge.terminology
    code = sorted(terminology.substances - set(terminology.drugs_by_snomed))[0]

    assert Coding(code, SNOMED) == identify([(SNOMED, code, None)], None, knowledge).coding


@pytest.mark.parametrize(
    ("codes", "text", "expected", "strength", "why"),
    [
        (["3443", "831103"], None, "831103", ("60", "{tablet}"), "ingredient and product: the product"),
        (["831103", "3443"], None, "831103", ("60", "{tablet}"), "in either order"),
        (["103", "197931"], None, "103", None, "the example of rule 38, mercaptopurine: the product is unknown here"),
        (["3443"], None, "3443", None, "an ingredient has no strength"),
        (["3443"], "diltiazem 60 mg tablet", "3443", None, "nor has a text"),
        (["3443"], "diltiazem hydrochloride 60 MG Oral Tablet", "831103", ("60", "{tablet}"), "a product's very name"),
        ([], "diltiazem hydrochloride 60 MG Oral Tablet", "831103", ("60", "{tablet}"), "by its name alone"),
        (["831103", "831104x"], None, "831103", ("60", "{tablet}"), "a code that nobody knows beside it"),
        (["831103", "830865"], None, "3443", None, "two products: which strength is meant is not known"),
        (["831103"], "diltiazem hydrochloride 120 MG Oral Tablet", "3443", None, "a code and a name of two strengths"),
        (["831012"], None, "831012", ("60", "{capsule}"), "a capsule"),
        (["1655956"], None, "1655956", ("25", "mL"), "a strength per millilitre"),
        (["1743704"], None, "1743704", ("125", "{vial}"), "a vial"),
        (["198153"], None, "198153", None, "two agents: the rules share out the pieces"),
        (["762675"], None, "762675", None, "a pack has no strength"),
        (["904462"], None, "904462", ("70", "{tablet}"), "a combination with a drug that is not ours"),
    ],
)
def test_rule_38_strength_of_products_alone(
    knowledge: KnowledgeBase,
    codes: list[str],
    text: str | None,
    expected: str | None,
    strength: tuple[str, str] | None,
    why: str,
) -> None:
    """The ingredient is taken from any coding, the strength from the clinical or branded drug alone."""
    found = identify([(RXNORM, code, None) for code in codes], text, knowledge)

    assert expected == code_of(found), why
    assert strength == (found.strength and (str(found.strength[0]), found.strength[1])), why
    assert found.conflict is None


@pytest.mark.parametrize(
    ("codings", "text", "sentence", "why"),
    [
        (
            *([(RXNORM, "197841", "Diltiazem 60 MG")], None),
            *("the code is of isosorbide dinitrate, the text names diltiazem", "3e: mislabelled in public files"),
        ),
        (
            *([(RXNORM, "860975", None)], "Methylprednisolone 125 MG Injection"),
            *("the code is of metformin, the text names methylprednisolone", "3e: mislabelled in public files"),
        ),
        (
            *([(RXNORM, "831103", None)], "prednisone 5 mg"),
            *("the code is of diltiazem, the text names prednisone", "product and text"),
        ),
        (
            *([(RXNORM, "3443", None), (RXNORM, "8640", None)], None),
            *("the codes are of different drugs: diltiazem and prednisone", "two ingredients"),
        ),
        (
            *([(RXNORM, "831103", None), (RXNORM, "8640", None)], None),
            *("the codes are of different drugs: diltiazem and prednisone", "product and ingredient"),
        ),
        (
            *([(RXNORM, "3443", None), (ATC, "H02AB07", None)], None),
            *("the codes are of different drugs: diltiazem and prednisone", "RxNorm and ATC"),
        ),
        (
            *([(None, None, "warfarin 5 mg")], "prednisone 5 mg"),
            *("the texts name different drugs: prednisone and warfarin", "text and display"),
        ),
        (
            *([(RXNORM, "198152", None)], "Probenecid and colchicine 500-0.5 mg"),
            *("the code is of probenecid, the text names probenecid and colchicine", "the text names one more"),
        ),
        (
            *([(RXNORM, "25480", None)], "gabapentin enacarbil 600 MG"),
            *("the code is of gabapentin, the text names gabapentin enacarbil", "a prodrug"),
        ),
        (
            *([(RXNORM, "68149", None)], "Myfortic 360 mg"),
            *("the code is of mycophenolate mofetil, the text names mycophenolic acid", "an ester and its acid"),
        ),
        (
            *([(RXNORM, "6809", None)], "glipizide 5 mg"),
            *("the code is of metformin, the text names glipizide", "drugs that are not ours"),
        ),
        (
            *([], "colchicine / probenecid"),
            *("it holds colchicine and probenecid, and no code says how much of each", "a combination by name"),
        ),
    ],
)
def test_trap_3e_code_against_text(
    knowledge: KnowledgeBase, codings: list[Any], text: str | None, sentence: str, why: str
) -> None:
    """Where code and text name different drugs nothing is dosed, and a sentence says why."""
    found = identify(codings, text, knowledge)

    assert (found.coding, found.strength, found.conflict) == (None, None, sentence), why


@pytest.mark.parametrize(
    ("codings", "text", "expected", "why"),
    [
        ([(RXNORM, "3443", "Cardizem CD")], None, "3443", "brand and ingredient"),
        ([(RXNORM, "198153", None), (RXNORM, "8698", None), (RXNORM, "2683", None)], None, "198153", "its ingredients"),
        ([(RXNORM, "198153", "colchicine-probenecid")], None, "198153", "both ingredients in the text"),
        ([(RXNORM, "485023", None), (ATC, "L04AA06", None)], None, "485023", "one ATC code for acid and ester"),
        ([(ATC, "L04AA06", None)], "mycophenolic acid", "7145", "the text is more precise than the ATC code"),
        ([(ATC, "L04AA06", None), (RXNORM, "68149", None)], None, "68149", "RxNorm is more precise"),
        ([(RXNORM, "10180", None), (RXNORM, "10829", None)], None, "10180", "a combination of drugs that are not ours"),
        (
            *([(RXNORM, "46041", None), (RXNORM, "2418", None)], "alendronate / cholecalciferol"),
            *("46041", "the text says that both belong together"),
        ),
        ([(RXNORM, "46041", None)], "alendronate with cholecalciferol", "46041", "the text names one more"),
        ([(RXNORM, "3443", "a local word")], "free text", "3443", "a text that names nothing"),
        ([("http://hl7.org/fhir/sid/ndc", "00591-0417-01", None)], "Diltiazem HCl 60 MG", "3443", "NDC and text"),
    ],
)
def test_agreement(knowledge: KnowledgeBase, codings: list[Any], text: str | None, expected: str, why: str) -> None:
    """Several ways to name one drug are no conflict."""
    found = identify(codings, text, knowledge)

    assert (found.conflict, code_of(found)) == (None, expected), why


def test_other_ingredients_are_told(knowledge: KnowledgeBase) -> None:
    """What else is in a combination counts as medication as well; all of it where no single code can stand for it."""
    product = identify([(RXNORM, "904462", None)], None, knowledge)
    named = identify([], "amlodipine / atorvastatin", knowledge)
    both = identify([], "colchicine / probenecid", knowledge)

    assert product.also == (Coding("2418", RXNORM),)
    assert named.also == (Coding("83367", RXNORM),)
    assert both.coding is None
    assert both.also == (Coding("2683", RXNORM), Coding("8698", RXNORM))


@pytest.mark.parametrize(
    ("codings", "text", "expected", "local", "why"),
    [
        ([(ATC, "D07AB09", None)], None, "D07AB09", True, "an ATC code of the skin"),
        ([(ATC, "H02AB08", None), (ATC, "D07AB09", None)], None, "10759", False, "all codes of the ingredient"),
        ([(RXNORM, "10759", None), (ATC, "D07AB09", None)], None, "D07AB09", True, "the ATC code says where"),
        ([(RXNORM, "10759", "triamcinolone cream")], None, "D07AB09", True, "the text says where"),
        ([(RXNORM, "1797913", None)], None, "1797913", True, "a nasal spray"),
        ([(RXNORM, "2570753", None)], None, "D11AH09", True, "a brand for the skin"),
        ([(RXNORM, "202877", None)], None, "10759", False, "a brand for skin and injection"),
        ([(RXNORM, "429199", "prednisolone eye drops")], None, "429199", False, "the product outweighs the text"),
        ([(ATC, "D07", None)], None, "D07", True, "a group of the skin"),
        (
            [(RXNORM, "3443", None)],
            "diltiazem 2 % topical gel",
            "3443",
            True,
            "one of ours on the skin, without a code",
        ),
    ],
)
def test_local_use(
    knowledge: KnowledgeBase, codings: list[Any], text: str | None, expected: str, local: bool, why: str
) -> None:
    """What acts where it is put is known by product, ATC code, brand or text, in this order."""
    found = identify(codings, text, knowledge)

    assert (expected, local) == (code_of(found), found.is_local), why


def test_name_is_for_people(knowledge: KnowledgeBase) -> None:
    """The name is the record's own, on one line and of bounded length; without one it is ours."""
    long = identify([(RXNORM, "3443", None)], "x" * 10_000, knowledge)

    assert identify([(RXNORM, "3443", "Display")], "<b>Text</b>", knowledge).name == "<b>Text</b>"
    assert identify([(RXNORM, "3443", "Display")], " \n", knowledge).name == "Display"
    assert identify([], "two\nlines\x00\u202e here", knowledge).name == "two lines here"
    assert identify([(RXNORM, "3443", None)], None, knowledge).name == "diltiazem"
    assert identify([(RXNORM, "831103", None)], None, knowledge).name == "diltiazem hydrochloride 60 MG Oral Tablet"
    assert identify([(ATC, "C08", None)], None, knowledge).name == "C08"
    assert identify([], None, knowledge).name == "a drug without a name"
    assert len(long.name) == 200


# ---------------------------------------------------------------- the local index


@pytest.mark.parametrize(
    ("code", "text", "expected", "strength", "local", "why"),
    [
        ("9000201", None, "3443", ("45", "{tablet}"), False, "a product that the knowledge does not have"),
        ("9000202", None, "3443", ("45", "{tablet}"), False, "a brand of it"),
        ("9000205", None, "3443", ("3", "mL"), False, "a solution"),
        ("9000203", None, "6902", None, False, "an ester: its strength is no dose of the agent"),
        ("9000206", None, "3443", None, True, "a cream: milligrams per milligram"),
        ("9000209", None, "C05AE03", None, True, "a suppository: the code of that use; no simple strength"),
        ("9000204", None, "6809", None, False, "a combination; the drug that is known counts"),
        ("9000208", None, "9000001", None, False, "an ingredient that no rule knows"),
        ("9000301", None, "3443", None, False, "a brand name"),
        ("9000501", "diltiazem / metformin", "3443", None, False, "several ingredients"),
        ("9000601", None, "3443", None, False, "a pack"),
        ("9000207", None, None, None, False, "obsolete, without relations"),
        ("9000299", "diltiazem 45 mg", "3443", None, False, "not in the index: the text counts"),
        ("197841", "Isordil 5 mg", "6058", None, False, "isosorbide dinitrate"),
    ],
)
def test_index_resolves_codes(
    knowledge: KnowledgeBase,
    index: RxNormIndex,
    code: str,
    text: str | None,
    expected: str | None,
    strength: tuple[str, str] | None,
    local: bool,
    why: str,
) -> None:
    """A code that the knowledge does not have is its ingredient, with a strength where one counts."""
    found = identify([(RXNORM, code, None)], text, knowledge, index)

    assert expected == code_of(found), why
    assert strength == (found.strength and (str(found.strength[0]), found.strength[1])), why
    assert local == found.is_local, why
    assert found.conflict is None


@pytest.mark.parametrize(
    ("codes", "text", "sentence"),
    [
        (["9000208"], "diltiazem 45 MG", "the code is of examplamine, the text names diltiazem"),
        (["9000201", "9000208"], None, "the codes are of different drugs: diltiazem and examplamine"),
        (["9000201"], "diltiazem / metformin", "the code is of diltiazem, the text names diltiazem and metformin"),
    ],
)
def test_index_finds_conflicts(
    knowledge: KnowledgeBase, index: RxNormIndex, codes: list[str], text: str | None, sentence: str
) -> None:
    """With the index a code that is another drug than its text is found out."""
    found = identify([(RXNORM, code, None) for code in codes], text, knowledge, index)

    assert (found.coding, found.conflict) == (None, sentence)


def test_two_strengths_of_the_index_are_none(knowledge: KnowledgeBase, index: RxNormIndex) -> None:
    """Two products of one ingredient leave open which strength is meant."""
    found = identify([(RXNORM, "9000201", None), (RXNORM, "9000205", None)], None, knowledge, index)

    assert (code_of(found), found.strength) == ("3443", None)


def test_comedication_of_the_index_interacts(knowledge: KnowledgeBase, index: RxNormIndex) -> None:
    """A product code that only the index knows makes the interaction rows of its ingredient speak."""
    medication = identify([(RXNORM, "9000201", None)], None, knowledge, index)
    unknown = identify([(RXNORM, "9000201", None)], None, knowledge)

    assert unknown.coding is None
    assert medication.coding is not None
    assert _interactions(medication.coding, knowledge) == _interactions(Coding("3443", RXNORM), knowledge)
    assert _interactions(medication.coding, knowledge)


def _interactions(taken: Coding, knowledge: KnowledgeBase) -> set[str]:
    """Return the interactions of colchicine with what the patient takes."""
    order = Order(
        id="1",
        agent=Coding("colchicine"),
        dose=OrderedDose(Decimal(1), Decimal(1), "mg", Per.ADMINISTRATION),
        frequency=OrderedFrequency(1, 1),
        route="oral",
    )
    checked = check_orders(OrderRequest((order,), Patient(medications=(taken,))), knowledge)
    return {item.id for part in checked.orders for item in part.findings if item.id.startswith("interaction")}


@pytest.mark.parametrize(
    ("code", "interacts", "why"),
    [
        ("831103", True, "a tablet of diltiazem, by product code"),
        ("2586034", True, "an infusion"),
        ("1797913", False, "a nasal spray of triamcinolone"),
    ],
)
def test_comedication_by_product_code(knowledge: KnowledgeBase, code: str, interacts: bool, why: str) -> None:
    """A product code among the medication counts as its agent; one for local use does not, and is known."""
    found = identify([(RXNORM, code, None)], None, knowledge)

    assert found.coding is not None
    assert interacts == bool(_interactions(found.coding, knowledge)), why


def test_broken_index_is_as_none(knowledge: KnowledgeBase, index: RxNormIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that cannot be read any more takes nothing away that the knowledge has by itself."""

    def broken(code: str) -> None:
        raise IndexFault("cannot be read")

    monkeypatch.setattr(index, "lookup", broken)

    assert code_of(identify([(RXNORM, "9000201", None)], "diltiazem 45 mg", knowledge, index)) == "3443"


# ---------------------------------------------------------------- hostile and fast

_WORDS = st.sampled_from(
    [
        "warfarin",
        "diltiazem",
        "colchicine",
        "sodium",
        "phosphate",
        "-dyyb",
        "/",
        "[",
        "]",
        "{",
        "(",
        "5 MG",
        "cream",
        "\n",
    ]
)
_TEXT = st.none() | st.text(max_size=60) | st.lists(_WORDS, max_size=30).map(" ".join)
_SYSTEM = st.none() | st.sampled_from([RXNORM, ATC, SNOMED, RXNORM_OID, ATC_OID]) | st.text(max_size=20)
_CODE = (
    st.none() | st.sampled_from(["3443", "831103", "198153", "C08DB01", "D07AB09", "372793000"]) | st.text(max_size=20)
)


@given(codings=st.lists(st.tuples(_SYSTEM, _CODE, _TEXT), max_size=6), text=_TEXT)
def test_any_record_is_answered(knowledge: KnowledgeBase, codings: list[Any], text: str | None) -> None:
    """Whatever a record says, there is an answer, and its parts fit each other."""
    found = identify(codings, text, knowledge)

    assert found.name
    assert found.conflict is None or found.coding is None
    assert found.coding is None or found.by is not None
    assert found.strength is None or (found.strength[0] > 0 and found.coding is not None)
    assert found == identify(list(codings), text, knowledge)


@pytest.mark.parametrize(
    ("codings", "text"),
    [
        ([(1, 2, 3)], 4),
        ([None, "abc", 5, (), (RXNORM,), {"system": RXNORM}], ["diltiazem"]),
        ([[RXNORM, "3443", None]], None),
        ([(RXNORM, "3443", "x")] * 100_000, "y" * 1_000_000),
        ([("\ud800", "\ud800", "\ud800")], "\ud800 warfarin"),
        ([(RXNORM, "٣٤٤٣", None)], "²⁵ \N{LATIN SMALL LIGATURE FI}" * 1000),
    ],
)
def test_values_of_other_types_are_nothing(knowledge: KnowledgeBase, codings: Any, text: Any) -> None:
    """What is no coding and no text is passed over, and nothing takes long."""
    assert isinstance(identify(codings, text, knowledge), Drug)


def test_lookups_are_fast(knowledge: KnowledgeBase) -> None:
    """Thirty medications by code take less than a millisecond, and so does a name.

    Each is worked out anew: what a record calls a drug is not remembered from one call to the next. The best
    of several runs is taken, so that a busy machine does not count; measuring coverage takes its share.
    """
    share = 1 if sys.gettrace() is None else 10
    codes = [*list(knowledge.terminology.drugs_by_rxnorm)[:15], *list(knowledge.coded_products)[:15]]
    records = [[(RXNORM, code, None)] for code in codes]
    by_code = min(timeit.repeat(lambda: [identify(item, None, knowledge) for item in records], number=1, repeat=200))
    texts = iter(f"Diltiazem hydrochloride {number} MG Extended Release Oral Capsule daily" for number in range(10_000))
    by_name = min(timeit.repeat(lambda: identify([], next(texts), knowledge), number=1, repeat=50))

    assert by_code < 0.001 * share
    assert by_name < 0.001 * share
