"""Further names and codes of drugs: what they stand for, what acts where it is put, and which files do not load."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge import load
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.name_loader import acts_locally, local_codes
from dosing_service.model import Coding
from dosing_service.rules.facts import substance, taken
from dosing_service.systems import RXNORM

FOLDER = Path(str(files("dosing_service.knowledge")))
NAMES, BRANDS, SNOMED = (f"terminology/{name}.csv" for name in ("names", "brands", "snomed"))


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        (NAMES, "a,b", "the line has too few or too many cells"),
        (NAMES, "x,3443,,,yes,,more", "the line has too few or too many cells"),
        (NAMES, ",3443,,,yes,", "a name is needed, each once"),
        (NAMES, "Paracetamol,161,,,yes,", "a name is needed, each once"),
        (NAMES, "x,3443,C08DB01,,yes,", "a name has an RxNorm ingredient or an ATC code, not both"),
        (NAMES, "x,three,,,yes,", "the code is not a number"),
        (NAMES, "x,3443,,three,yes,", "the code is not a number"),
        (NAMES, "x,3443 three,,,yes,", "the code is not a number"),
        (NAMES, "x,3443 11289,C08DB01,,yes,", "a name has an RxNorm ingredient or an ATC code, not both"),
        (NAMES, "x,3443,,831103 8640,yes,", "code 8640 is an ingredient"),
        (NAMES, "x,3443,,8640,yes,", "code 8640 is an ingredient"),
        (NAMES, "x,3443,,,maybe,", "verified is yes or no"),
        (BRANDS, "Examplezem,1,,oral,no,no,yes", "there is no ingredient '1'"),
        (BRANDS, "Examplezem,3443,,,no,no,yes", "routes are of inhalation, injectable, nasal, ophthalmic, oral"),
        (BRANDS, "Examplezem,3443,,oral dental,no,no,yes", "routes are of inhalation, injectable, nasal"),
        (BRANDS, "Examplezem,3443,,oral,no,perhaps,yes", "veterinary is yes or no"),
        (BRANDS, "Cardizem,3443,,oral,no,no,yes", "a brand is needed, each once"),
        (SNOMED, "1,1,yes", "a SNOMED CT code and an RxNorm ingredient of this terminology are needed"),
        (SNOMED, "one,3443,yes", "a SNOMED CT code and an RxNorm ingredient of this terminology are needed"),
    ],
)
def test_line_that_is_not_understood_is_refused(tmp_path: Path, file: str, line: str, reason: str) -> None:
    """A line that is not complete, not known or said twice stops the loading and is named."""
    folder = tmp_path / "knowledge"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    table = folder / file
    count = table.read_text("utf-8").count("\n")
    with table.open("a", encoding="utf-8") as written:
        written.write(f"{line}\n")

    with pytest.raises(KnowledgeError) as refused:
        load(folder)
    assert str(refused.value).startswith(f"{file}: line {count + 1}: {reason}")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("pollen: {names: [pollen], codes: []}", "pollen: no rule asks about this allergen"),
        ('pollen: {snomed: "1", names: [pollen], codes: []}', "pollen: no rule asks about this allergen"),
        ("aluminium salts 2: {names: [x], codes: []}", "aluminium salts 2: no rule asks about this allergen"),
        ("rituximab: {names: [maize], codes: []}", "rituximab: a name or code stands for two allergens"),
        ('rituximab: {snomed: "412357001", names: [x], codes: []}', "rituximab: a name or code stands for two"),
        ("rituximab: {names: [], codes: []}", "rituximab.names: Shorter than minimum length 1."),
    ],
)
def test_allergen_that_nobody_asks_about_or_that_is_said_twice_is_refused(
    tmp_path: Path, entry: str, reason: str
) -> None:
    """A name must lead to one group, and the group to a rule, or an allergy would be known and not checked."""
    folder = tmp_path / "knowledge"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with (folder / "terminology/allergens.yaml").open("a", encoding="utf-8") as written:
        written.write(f"{entry}\n")

    with pytest.raises(KnowledgeError) as refused:
        load(folder)
    assert str(refused.value).startswith(f"terminology/allergens.yaml: {reason}")


@pytest.mark.parametrize("file", [NAMES, BRANDS, SNOMED])
def test_columns_are_fixed(tmp_path: Path, file: str) -> None:
    """A column that is renamed is no column."""
    folder = tmp_path / "knowledge"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    table = folder / file
    table.write_text(table.read_text("utf-8").replace("rxnorm", "rxcui", 1), "utf-8")

    with pytest.raises(KnowledgeError, match=f"{file}: line 1: the columns are "):
        load(folder)


@pytest.mark.parametrize(
    ("drug", "route", "local", "codes", "why"),
    [
        ("10759", "topical", True, 4, "D07AB09 and three more of the skin"),
        ("10759", "inhalation", True, 1, "R03BA06: an inhaled steroid"),
        ("10759", "injectable", False, 0, "an injection"),
        ("40138", "inhalation", False, 0, "inhaled iloprost acts on the whole body"),
        ("3443", "topical", True, 0, "one of ours on the skin"),
        ("4917", "topical", False, 0, "nitroglycerin ointment acts on the whole body"),
        ("6932", "topical", True, 1, "D01AC02: miconazole on the skin"),
        ("6932", "vaginal", False, 0, "miconazole gel in the vagina reaches the blood"),
    ],
)
def test_local_use_by_route(knowledge: KnowledgeBase, drug: str, route: str, local: bool, codes: int, why: str) -> None:
    """A route exempts our agents, and of other drugs those that ATC knows in this use."""
    known = knowledge.terminology.drugs_by_rxnorm[drug]

    assert local == acts_locally(route, known), why
    assert codes == len(local_codes(route, known)), why


def test_product_codes_are_drugs(knowledge: KnowledgeBase) -> None:
    """A product among the medication is its agent; for local use it is known and no systemic treatment.

    As an allergen it is the agent in either case.
    """
    tablet, spray = Coding("831103", RXNORM), Coding("1797913", RXNORM)

    assert taken(tablet, knowledge.terminology).agent == "diltiazem"
    assert taken(spray, knowledge.terminology).agent is None
    assert taken(spray, knowledge.terminology).is_known
    assert "H02AB08" not in taken(spray, knowledge.terminology).atc
    assert substance(spray, knowledge.terminology).agent == "triamcinolone"
