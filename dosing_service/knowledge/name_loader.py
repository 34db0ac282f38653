"""Reads the further names and codes of drugs: international names, brands, SNOMED CT substances, and the products."""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from io import StringIO

from dosing_service.errors import KnowledgeError
from dosing_service.knowledge.products import CodedProduct
from dosing_service.knowledge.safety import Drug, DrugName, Terminology

NAMES = "terminology/names.csv"
BRANDS = "terminology/brands.csv"
SNOMED = "terminology/snomed.csv"
FILES = (NAMES, BRANDS, SNOMED)
_COLUMNS = {
    NAMES: ("name", "rxnorm", "atc", "product", "verified", "note"),
    BRANDS: ("brand", "rxnorm", "brand_code", "routes", "combination", "veterinary", "verified"),
    SNOMED: ("snomed", "rxnorm", "verified"),
}
_YES_NO = {"verified", "combination", "veterinary"}
#: The routes of brands and products by which a drug acts where it is put, with the ATC groups of that use.
_LOCAL: Mapping[str, tuple[str, ...]] = {
    "topical": ("D",),
    "ophthalmic": ("S01", "S03"),
    "otic": ("S02", "S03"),
    "nasal": ("R01A",),
    "rectal": ("C05A",),
    "oromucosal": ("A01",),
    "inhalation": ("R03B",),
}
#: An inhaled drug acts on the whole body unless ATC says otherwise: iloprost and treprostinil do.
_SYSTEMIC_UNLESS_CODED = "inhalation"
ROUTES = frozenset({*_LOCAL, "oral", "injectable", "subcutaneous"})


def local_codes(route: str, drug: Drug) -> tuple[str, ...]:
    """Return the ATC codes of a drug for what acts where it is put by this route."""
    return tuple(code for code in drug.atc if code.startswith(_LOCAL[route])) if route in _LOCAL else ()


def acts_locally(route: str, drug: Drug) -> bool:
    """Tell whether a drug given by this route acts where it is put.

    One of our agents does in every form for skin, eye, ear, nose, mouth or rectum. Of any other drug its ATC codes
    say so: nitroglycerin ointment acts on the whole body.
    """
    is_ours = drug.agent is not None and route in _LOCAL and route != _SYSTEMIC_UNLESS_CODED
    return is_ours or bool(local_codes(route, drug))


def with_names(terminology: Terminology, texts: Mapping[str, str], products: Mapping[str, CodedProduct]) -> Terminology:
    """Return the terminology with the names, the SNOMED CT substances and the product codes.

    Raises:
        KnowledgeError: a line that is not understood, or a name or code that stands for two things.
    """
    by_code = {code: _drug_of(item, terminology) for code, item in products.items()}
    return replace(
        terminology,
        names=(*_names(texts[NAMES], terminology), *_brands(texts[BRANDS], terminology)),
        drugs_by_snomed=dict(_snomed(texts[SNOMED], terminology)),
        drugs_by_product=by_code,
        local_products=frozenset(code for code, drug in by_code.items() if acts_locally(products[code].route, drug)),
    )


def _drug_of(product: CodedProduct, terminology: Terminology) -> Drug:
    """Return the drug of a product: the first of our agents that is in it."""
    return terminology.drugs_by_name[product.agents[0]]


def _names(text: str, terminology: Terminology) -> Iterator[DrugName]:
    for line, row in _rows(NAMES, text, "name"):
        drug, *beside = _named(line, row, terminology)
        products = row["product"].split()
        codes = tuple(code for item in products for code in _codes(NAMES, line, item, terminology.drugs_by_rxnorm))
        yield DrugName(row["name"], drug, codes, (), row["verified"] == "yes", tuple(beside))


def _named(line: int, row: Mapping[str, str], terminology: Terminology) -> list[Drug]:
    """Return the drugs of a name: several of a combination that is known by one name."""
    codes = row["rxnorm"].split()
    return [_one(line, row, code, terminology) for code in codes or [""]]


def _one(line: int, row: Mapping[str, str], code: str, terminology: Terminology) -> Drug:
    """Return a drug of a name. One that is not ours to know keeps its name, so that it is not taken for another."""
    atc = row["atc"]
    if code and atc:
        raise _fault(NAMES, line, "a name has an RxNorm ingredient or an ATC code, not both")
    if atc:
        return terminology.drugs_by_atc.get(atc) or Drug(row["name"], None, (atc,), None)
    if code and not code.isdecimal():
        raise _fault(NAMES, line, "the code is not a number")
    return terminology.drugs_by_rxnorm.get(code) or Drug(row["name"], code or None, (), None)


def _brands(text: str, terminology: Terminology) -> Iterator[DrugName]:
    """Yield the brands; those for animals are checked like the others, and stand for no drug of a person."""
    for line, row in _rows(BRANDS, text, "brand"):
        drug = terminology.drugs_by_rxnorm.get(row["rxnorm"])
        routes = tuple(row["routes"].split())
        if drug is None:
            raise _fault(BRANDS, line, f"there is no ingredient {row['rxnorm']!r}")
        if not routes or not ROUTES.issuperset(routes):
            raise _fault(BRANDS, line, f"routes are of {', '.join(sorted(ROUTES))}")
        codes = _codes(BRANDS, line, row["brand_code"], terminology.drugs_by_rxnorm)
        if row["veterinary"] == "yes":
            continue
        yield DrugName(row["brand"], drug, codes, routes, row["verified"] == "yes")


def _codes(file: str, line: int, code: str, taken: Collection[str]) -> tuple[str, ...]:
    if not code:
        return ()
    if not code.isdecimal():
        raise _fault(file, line, "the code is not a number")
    if code in taken:
        raise _fault(file, line, f"code {code} is an ingredient")
    return (code,)


def _snomed(text: str, terminology: Terminology) -> Iterator[tuple[str, Drug]]:
    for line, row in _rows(SNOMED, text, "snomed"):
        drug = terminology.drugs_by_rxnorm.get(row["rxnorm"])
        if drug is None or not row["snomed"].isdecimal():
            raise _fault(SNOMED, line, "a SNOMED CT code and an RxNorm ingredient of this terminology are needed")
        yield row["snomed"], drug


def _rows(file: str, text: str, key: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the lines of a file, each with a ``key`` of its own."""
    reader = csv.DictReader(StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != _COLUMNS[file]:
        raise _fault(file, 1, f"the columns are {', '.join(_COLUMNS[file])}")
    seen: set[str] = set()
    for row in reader:
        line = reader.line_num
        if None in row or None in row.values():
            raise _fault(file, line, "the line has too few or too many cells")
        if not row[key] or row[key].lower() in seen:
            raise _fault(file, line, f"a {key} is needed, each once")
        for column in _YES_NO.intersection(row):
            if row[column] not in {"yes", "no"}:
                raise _fault(file, line, f"{column} is yes or no")
        seen.add(row[key].lower())
        yield line, row


def _fault(file: str, line: int, reason: str) -> KnowledgeError:
    return KnowledgeError(file, f"line {line}", reason)
