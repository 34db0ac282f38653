"""Coded products: what a code holds, which product of an agent it is, and which files do not load."""

import shutil
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import load
from dosing_service.knowledge.base import KnowledgeBase

FOLDER = Path(str(files("dosing_service.knowledge")))
TABLE = "terminology/products.csv"
ONE_TABLET = "833217,clinical,diltiazem,diltiazem hydrochloride 30 MG Oral Tablet,30,mg,each,,Oral Tablet,oral,IR,,,yes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged knowledge files, to be spoilt."""
    copy = tmp_path / "knowledge"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def spoil(file: Path, old: str, new: str) -> int:
    """Replace the only place where a text stands; return the number of its line."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, "the row of the table no longer fits the file"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("code", "components", "form", "route", "release", "container", "why"),
    [
        ("833217", [("diltiazem", "30", "each")], "Oral Tablet", "oral", "IR", None, "a tablet"),
        (
            *("830865", [("diltiazem", "60", "each")], "Extended Release Oral Capsule", "oral", "12 HR ER", None),
            "60 mg that act for 12 hours, not the 60 mg tablet 831103 nor the capsule 831012",
        ),
        ("831103", [("diltiazem", "60", "each")], "Oral Tablet", "oral", "IR", None, "the plain 60 mg tablet"),
        ("904431", [("alendronate", "70", "each")], "Oral Tablet", "oral", "IR", None, "named alendronic acid"),
        (
            *("198153", [("colchicine", "0.5", "each"), ("probenecid", "500", "each")]),
            *("Oral Tablet", "oral", "IR", None, "one tablet with two of our agents"),
        ),
        (
            *("1441402", [("methotrexate", "25", "mL")], "Auto-Injector", "injectable", "IR", "0.4"),
            "0.4 mL of 25 mg/mL: 10 mg, not 25",
        ),
        ("1809421", [("ivig", "100", "mL")], "Injection", "injectable", "IR", "100", "10 percent, 10 g in 100 mL"),
        ("2196292", [("ivig", "200", "mL")], "Injection", "subcutaneous", "IR", "5", "named subcutaneous"),
        ("1927885", [("rituximab", "120", "mL")], "Injection", "subcutaneous", "IR", "11.7", "with hyaluronidase"),
        ("2570752", [("ruxolitinib", "15", "mL")], "Topical Cream", "topical", "IR", None, "on the skin"),
        (
            *("1797913", [("triamcinolone", "0.055", "actuation")], "Metered Dose Nasal Spray", "nasal", "IR", None),
            "one spray",
        ),
    ],
)
def test_code_says_what_one_piece_or_millilitre_holds(
    knowledge: KnowledgeBase,
    code: str,
    components: list[tuple[str, str, str]],
    form: str,
    route: str,
    release: str,
    container: str | None,
    why: str,
) -> None:
    """A code of RxNorm leads to ingredient, strength, form, route, release and container."""
    product = knowledge.coded_products[code]
    parts = [(part.agent, str(part.strength), part.per) for part in product.components]
    assert parts == components, why
    assert {part.unit for part in product.components} == {"mg"}
    assert (product.form, product.route, product.release) == (form, route, release)
    assert product.container_ml == (Decimal(container) if container else None)
    assert product.not_computable is None


@pytest.mark.parametrize(
    ("code", "agent", "reason"),
    [
        ("485020", "mycophenolate", "its strength is that of mycophenolic acid"),
        ("616449", "mycophenolate", "its strength is that of mycophenolic acid"),
        ("849860", "diltiazem", "its strength is that of diltiazem malate"),
        ("1358610", "methylprednisolone", "its strength is that of methylprednisolone acetate"),
        ("1085996", "triamcinolone", "its strength is that of triamcinolone hexacetonide"),
        ("762675", "methylprednisolone", "a pack holds a course or a kit, not a dose"),
        ("1549688", "ivig", "a pack holds a course or a kit, not a dose"),
        ("1191686", "prednisolone", "a veterinary brand"),
        ("897063", "prednisolone", "a veterinary brand"),
    ],
)
def test_known_code_from_which_nothing_is_computed_says_why(
    knowledge: KnowledgeBase, code: str, agent: str, reason: str
) -> None:
    """Another salt, a depot ester, a pack and a veterinary brand are known, and hold no amount to compute with."""
    product = knowledge.coded_products[code]
    assert product.agents == (agent,)
    assert product.components == ()
    assert product.not_computable == reason
    assert code not in knowledge.product_of_code


def test_combination_names_what_else_is_in_it(knowledge: KnowledgeBase) -> None:
    """What is not one of our agents stays in words, with its strength."""
    assert knowledge.coded_products["904462"].co_ingredients == ("cholecalciferol 5600 UNT",)
    assert knowledge.coded_products["833237"].co_ingredients == ("Enalapril Maleate 5 MG",)
    assert knowledge.coded_products["198153"].co_ingredients == ()


@pytest.mark.parametrize(
    ("code", "product", "why"),
    [
        ("833217", ("diltiazem", "ir-tablet-30"), "the clinical drug that the product names"),
        ("833219", ("diltiazem", "ir-tablet-30"), "Cardizem 30 mg is the same tablet"),
        ("830865", ("diltiazem", "12-hour-capsule-60"), "60 mg over 12 hours"),
        ("830861", ("diltiazem", "cd-capsule-120"), "120 mg over 24 hours, capsule"),
        ("830872", ("diltiazem", "12-hour-capsule-120"), "120 mg over 12 hours, capsule"),
        ("830874", ("diltiazem", "er-tablet-120"), "120 mg over 24 hours, tablet"),
        ("2047247", ("baricitinib", "tablet-2"), "a brand of which no clinical drug is listed"),
        ("2105826", ("rituximab", "vial-100mg"), "a biosimilar is the same drug for a dose"),
        ("1544403", ("methotrexate", "autoinjector-7.5"), "0.15 mL of 50 mg/mL is 7.5 mg"),
        ("1594757", None, "0.4 mL of 18.8 mg/mL is 7.52 mg: near 7.5 mg is not 7.5 mg"),
        ("904462", None, "with cholecalciferol: not the plain tablet"),
        ("198153", None, "colchicine with probenecid is neither tablet"),
        ("831012", None, "a plain 60 mg capsule is not in the list of products"),
        ("1927885", None, "subcutaneous rituximab is not the vial for infusion"),
        ("1792144", None, "a 1 mL vial of which no product is listed"),
    ],
)
def test_code_leads_to_the_product_of_the_agent(
    knowledge: KnowledgeBase, code: str, product: tuple[str, str] | None, why: str
) -> None:
    """Clinical and branded codes of one strength, form and release are one product; what only looks alike is none."""
    assert code in knowledge.coded_products
    assert knowledge.product_of_code.get(code) == product, why


def test_every_product_with_a_code_is_found_by_it(knowledge: KnowledgeBase) -> None:
    """The two directions agree, and no agent of the table is without one of its own products' codes but those known."""
    for agent in knowledge.agents.values():
        for product in agent.products.values():
            for code in product.rxnorm:
                assert knowledge.product_of_code[code] == (agent.id, product.id)
    with_codes = {agent for agent, _ in knowledge.product_of_code.values()}
    coded = {agent for item in knowledge.coded_products.values() for agent in item.agents}
    assert coded - with_codes == {"aluminium-hydroxide", "iloprost"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("rxcui,kind,agent", "code,kind,agent", "the columns are rxcui, kind"),
        (ONE_TABLET, ONE_TABLET.replace("833217", "83321x"), "the code is not a number"),
        (ONE_TABLET, ONE_TABLET.replace(",diltiazem,", ",diltiazen,"), "there is no agent 'diltiazen'"),
        (ONE_TABLET, ONE_TABLET.replace(",30,mg", ",30,MG"), "unit is one of mg"),
        (ONE_TABLET, ONE_TABLET.replace(",30,mg", ",0,mg"), "'0' is no number above 0"),
        (ONE_TABLET, ONE_TABLET.replace(",30,mg", ",thirty,mg"), "'thirty' is no number above 0"),
        (ONE_TABLET, ONE_TABLET.replace(",30,mg", ",NaN,mg"), "'NaN' is no number above 0"),
        (ONE_TABLET, ONE_TABLET.replace("each,,", "each,5,"), "only a strength per mL has a container"),
        (ONE_TABLET, ONE_TABLET.replace(",each,", ",tablet,"), "per is one of actuation, each, mL, mg"),
        (ONE_TABLET, ONE_TABLET.replace("Oral Tablet,oral", ",oral"), "name and form are needed"),
        (ONE_TABLET, ONE_TABLET.replace(",yes", ""), "the line has too few or too many cells"),
        (ONE_TABLET, f"{ONE_TABLET},more", "the line has too few or too many cells"),
        (ONE_TABLET, f"{ONE_TABLET}\n{ONE_TABLET}", "code 833217 names an agent twice"),
        (
            *(ONE_TABLET, f"{ONE_TABLET}\n{ONE_TABLET.replace(',diltiazem,', ',warfarin,').replace('IR', 'DR')}"),
            "code 833217 was described otherwise in line",
        ),
    ],
)
def test_fault_in_the_table_stops_the_start(folder: Path, old: str, new: str, reason: str) -> None:
    """The message names the file, the line and the reason."""
    line = spoil(folder / TABLE, old, new)
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    offset = new.count("\n")
    assert str(caught.value).startswith(f"{TABLE}: line {line + offset}: {reason}")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('["833217"]', '["833299"]', "has no clinical drug 833299"),
        ('["833217"]', '["833219"]', "has no clinical drug 833219"),
        ('["833217"]', '["831103"]', "code 831103 is another strength"),
        ('["833217"]', '["830874"]', "code 830874 is another form"),
        ('["833217"]', '["833237"]', "code 833237 is not this agent alone"),
        ('["833217"]', '["849860"]', "code 849860 is not this agent alone"),
        ('["831103"]', '["833217"]', "code 833217 is another strength"),
        ('["830845"]', '["830845", "830845"]', "code 830845 belongs to cd-capsule-180 too"),
        (
            "routes: [oral], formulation: immediate-release, strength: {value: 30",
            "routes: [intravenous], formulation: immediate-release, strength: {value: 30",
            "code 833217 is for another route",
        ),
    ],
)
def test_product_that_names_a_wrong_code_stops_the_start(folder: Path, old: str, new: str, reason: str) -> None:
    """A code of another ingredient, strength, form or release is refused, with the name it has in RxNorm."""
    spoil(folder / "agents/diltiazem.yaml", old, new)
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("agents/diltiazem.yaml: products.")


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        (
            "form: tablet, routes: [oral], formulation: immediate-release, strength: {value: 30",
            "form: pill, routes: [oral], formulation: immediate-release, strength: {value: 30",
            "products.0.form",
            "Must be one of",
        ),
        (
            "strength: {value: 30, unit: mg}",
            "strength: {value: 0, unit: mg}",
            "products.0.strength",
            "a strength is above 0",
        ),
        ("strength: {value: 30, unit: mg}", "strength: {value: 30, unit: g}", "products.0.strength", "in mg or mg/mL"),
        (
            "strength: {value: 30, unit: mg}",
            "volume: {value: 1, unit: mg}, strength: {value: 30, unit: mg}",
            "products.0.volume",
            "a volume is in mL",
        ),
        (
            "strength: {value: 30, unit: mg}",
            "release_hours: 8, strength: {value: 30, unit: mg}",
            "products.0.release_hours",
            "12 or 24 hours",
        ),
        (
            'release_hours: 24, strength: {value: 180, unit: mg}, divisible: false, rxnorm: ["830877"]',
            'release_hours: 24, strength: {value: 180, unit: mg}, divisible: true, rxnorm: ["830877"]',
            "products.",
            "never divided",
        ),
    ],
)
def test_product_that_contradicts_itself_stops_the_start(
    folder: Path, old: str, new: str, path: str, reason: str
) -> None:
    """What a product may say is closed: form, routes, strength in mg, release, and extended release stays whole."""
    spoil(folder / "agents/diltiazem.yaml", old, new)
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    assert caught.value.path.startswith(path)
    assert reason in caught.value.reason
