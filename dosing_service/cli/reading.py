"""What the commands have in common: how values are written, the options about a patient, the request they make."""

import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

import click

from dosing_service import knowledge
from dosing_service.errors import DosingError, InvalidRequest, UnknownId
from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.systems import ATC, ICD10, RXNORM, SNOMED

_SYSTEMS = {"rxnorm": RXNORM, "atc": ATC, "snomed": SNOMED, "icd10": ICD10}
_RESULT = re.compile(r"\s*([0-9]+-[0-9])\s+(-?[0-9]+(?:\.[0-9]+)?)\s+(\S+)\s*")
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z\[{%][A-Za-z0-9_\]}/]*)\s*")


class Quantity(click.ParamType[dict[str, Any]]):
    """A number with its unit, ``25 kg``; which units fit is decided by the contract, not here."""

    name = "quantity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        match = _QUANTITY.fullmatch(str(value))
        if match is None:
            self.fail('a number and a unit are expected, for example "25 kg"', param, ctx)
        return {"value": Decimal(match[1]), "unit": match[2]}


class Code(click.ParamType[Any]):
    """A code with its terminology, ``icd10:K22.4``, or an id of the knowledge base."""

    name = "code"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        prefix, _, code = str(value).partition(":")
        if not code:
            return value
        if prefix not in _SYSTEMS:
            self.fail(f"{prefix!r} is none of {', '.join(_SYSTEMS)}", param, ctx)
        return {"system": _SYSTEMS[prefix], "code": code}


class Result(click.ParamType[dict[str, Any]]):
    """A laboratory value or vital sign, ``2160-0 1.1 mg/dL``."""

    name = "result"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        match = _RESULT.fullmatch(str(value))
        if match is None:
            self.fail('LOINC code, value and unit are expected, for example "2160-0 1.1 mg/dL"', param, ctx)
        return {"code": match[1], "value": Decimal(match[2]), "unit": match[3]}


LIST_NAMES = ("conditions", "allergies", "medications", "observations")
_PATIENT = (
    *("age", "birth_date", "sex", "weight", "previous_weight", "height", "pregnant", "lactating"),
    *LIST_NAMES,
)
_OPTIONS = (
    click.option("--age", type=Quantity(), help='Age, for example "9 a" or "18 mo".'),
    click.option("--birth-date", help="Birth date, YYYY-MM-DD, instead of the age."),
    click.option("--as-of", help="The day on which the age counts, YYYY-MM-DD; default: today."),
    click.option("--sex", help="female, male or other."),
    click.option("--weight", type=Quantity(), help='Body weight, for example "25 kg" or "55.1 lb".'),
    click.option("--weight-measured-on", help="The day of the weight, YYYY-MM-DD."),
    click.option("--previous-weight", type=Quantity(), help="An earlier weight, to find a jump."),
    click.option("--previous-weight-measured-on", help="The day of the earlier weight, YYYY-MM-DD."),
    click.option("--height", type=Quantity(), help='Height, for example "128 cm".'),
    click.option("--pregnant/--not-pregnant", default=None, help="Pregnancy; unknown when left out."),
    click.option("--lactating/--not-lactating", default=None, help="Breast-feeding; unknown when left out."),
    click.option(
        "--condition", "conditions", multiple=True, type=Code(), help="Diagnosis: an id, snomed:CODE or icd10:CODE."
    ),
    click.option(
        "--allergy", "allergies", multiple=True, type=Code(), help="Allergy: an id, rxnorm:CODE or snomed:CODE."
    ),
    click.option("--medication", "medications", multiple=True, type=Code(), help="An id, rxnorm:CODE or atc:CODE."),
    click.option("--none", multiple=True, type=click.Choice(LIST_NAMES), help="Say that there are none of these."),
    click.option(
        "--result", "observations", multiple=True, type=Result(), help='"LOINC VALUE UNIT", "2160-0 1.1 mg/dL".'
    ),
)


def about_patient(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options about a patient."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def body(given: Mapping[str, Any], groups: Mapping[str, tuple[str, ...]], alone: tuple[str, ...]) -> dict[str, Any]:
    """Return the options of a command as the body of a request: ``patient`` and ``groups`` are objects of their own.

    A list that was not given is unknown, a flag that was not set is left out.
    """
    present = {name: _exact(value) for name, value in given.items() if value is not None and value != ()}
    present = {name: value for name, value in present.items() if value is not False}
    present |= {name: False for name in ("pregnant", "lactating") if given.get(name) is False}
    for name in ("weight", "previous_weight"):
        if name in present and f"{name}_measured_on" in present:
            present[name] |= {"measured_on": present[f"{name}_measured_on"]}
    present |= {name: [] for name in given.get("none", ()) if name not in present}
    document: dict[str, Any] = {name: present[name] for name in alone if name in present}
    for group, names in {"patient": _PATIENT, **groups}.items():
        members = {name: present[name] for name in names if name in present}
        if members:
            document[group] = members
    return document


def _exact(value: Any) -> Any:
    """Return a value of the command line as the strict JSON reader would: numbers as decimals, several as a list."""
    if isinstance(value, tuple):
        return list(value)
    return Decimal(value) if type(value) is int else value


def refuse(error: InvalidRequest | UnknownId) -> NoReturn:
    """Say what is wrong with a request, one line for each problem, and stop."""
    if isinstance(error, UnknownId):
        nearest = f"; did you mean {' or '.join(error.nearest)}?" if error.nearest else ""
        click.echo(f"{error}{nearest}", err=True)
    else:
        for item in error.problems:
            click.echo(f"{item.pointer or 'request'}: {item.detail}; expected: {item.expected}", err=True)
    sys.exit(2)


def loaded() -> KnowledgeBase:
    """Return the knowledge base, or say why it does not load and stop."""
    try:
        return knowledge.load()
    except DosingError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
