"""Compiled safety knowledge: predicates, rules, adverse effects, monitoring, advice, interactions.

Like all knowledge values they are frozen and compare by identity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from dosing_service.knowledge.ranges import Range
from dosing_service.model import Category, Citations, Coding, Per, Severity, Sex
from dosing_service.systems import ICD10, ICD10_WHO, SNOMED

#: A category of ICD-10 has three characters, and no code more than seven.
_ICD_LENGTHS = range(3, 8)

if TYPE_CHECKING:
    from dosing_service.knowledge.base import DoseFigure


@dataclass(frozen=True, slots=True, eq=False)
class DrugGroup:
    """Drugs by RxNorm ingredient, ATC prefix, id of this knowledge base, or (for allergies) SNOMED CT substance."""

    name: str
    agents: frozenset[str]
    atc: tuple[str, ...]
    rxnorm: frozenset[str]
    snomed: frozenset[str]


# ---------------------------------------------------------------- predicates


@dataclass(frozen=True, slots=True, eq=False)
class Predicate:
    """A question about a patient that is answered with yes, no or unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Always(Predicate):
    """Holds for everyone."""


@dataclass(frozen=True, slots=True, eq=False)
class HasCondition(Predicate):
    """The patient has a diagnosis of the value set ``condition``."""

    condition: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ObservationIn(Predicate):
    """The latest value of an analyte lies in ``range``, which is in the analyte's base unit."""

    analyte: str
    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class RiseIn(Predicate):
    """An analyte has risen by an amount in ``range`` from a baseline in ``baseline``, both in its base unit.

    The baseline is :meth:`dosing_service.rules.facts.Facts.baseline`.
    """

    analyte: str
    range: Range
    baseline: Range


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedCalciumIn(Predicate):
    """Calcium corrected for albumin lies in ``range`` (mg/dL), as reported; or both it, as computed, and the total."""

    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class CalciumIsCorrected(Predicate):
    """Calcium corrected for albumin is known: reported, or to be computed."""


@dataclass(frozen=True, slots=True, eq=False)
class ClearanceIn(Predicate):
    """Creatinine clearance (``crcl``, mL/min) or estimated GFR (``egfr``, mL/min/1.73 m²) lies in ``range``."""

    kind: str
    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class AgeIn(Predicate):
    """The age lies in ``range``."""

    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class WeightIn(Predicate):
    """The body weight lies in ``range`` (kg)."""

    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class SexIs(Predicate):
    """The patient's sex."""

    sex: Sex


@dataclass(frozen=True, slots=True, eq=False)
class StateIs(Predicate):
    """The patient is (or is not) pregnant or lactating."""

    field: str
    value: bool


@dataclass(frozen=True, slots=True, eq=False)
class AllergicTo(Predicate):
    """The patient is allergic to a drug of the group, cross-reacting ones included."""

    group: DrugGroup


@dataclass(frozen=True, slots=True, eq=False)
class Takes(Predicate):
    """The patient takes a drug of the group."""

    group: DrugGroup


@dataclass(frozen=True, slots=True, eq=False)
class RouteIs(Predicate):
    """The regimen is given by this route."""

    route: str


@dataclass(frozen=True, slots=True, eq=False)
class RegimenIs(Predicate):
    """The regimen is one of these."""

    regimens: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class DoseIn(Predicate):
    """The upper end of the computed amount of one kind lies in ``range``; ``per_kg`` divides it by the body weight."""

    per: Per
    range: Range
    per_kg: bool


@dataclass(frozen=True, slots=True, eq=False)
class StrengthIn(Predicate):
    """The strength of the product, a liquid, lies in ``range`` (mg/mL)."""

    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class AllOf(Predicate):
    """Every one of several."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AnyOf(Predicate):
    """At least one of several."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Not(Predicate):
    """The opposite."""

    part: Predicate


# ---------------------------------------------------------------- what is said


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """That less than documented is asked for: this ``percent`` of it, this ``figure``, or (neither) less in words."""

    percent: Decimal | None
    figure: "DoseFigure | None"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What is said when ``when`` holds. ``summary`` is completed with this patient's numbers.

    ``order_severity`` is the severity for an order, where that differs from the one for a documented dose; a rule for
    ``orders_only`` is about amounts that no regimen here comes to; one that ``lowers_dose`` asks for less than
    documented. One that is ``quiet_when_unknown`` asks for what few records hold: while it is open it stands under what
    was not checked and nowhere else.
    """

    id: str
    category: Category
    severity: Severity
    when: Predicate
    summary: str
    management: str
    jurisdiction: str | None
    order_severity: Severity | None
    orders_only: bool
    lowers_dose: Lowered | None
    quiet_when_unknown: bool
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class AdverseEffect:
    """An adverse effect with its frequency as the source gives it."""

    effect: str
    frequency: str | None
    serious: bool
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Threshold:
    """What to do when a monitored value lies in ``range``, which is in ``unit``; only where ``when`` holds.

    ``severity`` is that of the finding which a current result beyond it is.
    """

    range: Range
    unit: str
    text: str
    action: str
    severity: Severity
    when: Predicate
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class MonitoringLine:
    """One line of a monitoring plan; ``interval_days`` is the longest documented interval. Every analyte of the line is
    needed, unless ``one_is_enough``; a line that ``is_rise`` is about the rise of its analyte since the baseline.
    """

    parameter: str
    loinc: tuple[str, ...]
    one_is_enough: bool
    is_rise: bool
    baseline: bool
    interval_days: tuple[Decimal, Decimal] | None
    interval_text: str | None
    thresholds: tuple[Threshold, ...]
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Advice:
    """What to tell the patient or to keep in mind, whatever the findings."""

    topic: str
    text: str
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Safety:
    """Everything about the safety of one agent, its class included."""

    rules: tuple[Rule, ...]
    adverse_effects: tuple[AdverseEffect, ...]
    monitoring: tuple[MonitoringLine, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Interaction:
    """A row: one or several of our agents with a drug, vaccine, food, device or procedure; ``lowers_dose`` says of
    which agents it asks for less than documented.
    """

    id: str
    agents: frozenset[str]
    routes: frozenset[str]
    kind: str
    partner: DrugGroup
    except_atc: tuple[str, ...]
    severity: Severity | None
    signals: tuple[str, ...]
    mechanism: str
    effect: str
    management: str
    when: Predicate
    escalated: tuple[Predicate, Severity] | None
    jurisdiction: str | None
    lowers_dose: Mapping[str, Lowered]
    citations: Citations


# ---------------------------------------------------------------- terminology


@dataclass(frozen=True, slots=True, eq=False)
class Analyte:
    """A laboratory value or vital sign: its LOINC codes, each with the unit its values are in."""

    id: str
    name: str
    units: Mapping[str, str]
    molar_mass: Decimal | None


@dataclass(frozen=True, slots=True, eq=False)
class Drug:
    """An ingredient: its codes and, if it is one of ours, its agent."""

    name: str
    rxnorm: str | None
    atc: tuple[str, ...]
    agent: str | None


@dataclass(frozen=True, slots=True, eq=False)
class DrugName:
    """A name of a drug beside the one of RxNorm: an international name, an alias or a brand.

    ``codes`` are RxNorm codes of the brand or product that is called so, ``routes`` those of a brand. ``beside`` are
    the other ingredients of what is a combination by its name: trimethoprim in co-trimoxazole.
    """

    name: str
    drug: Drug
    codes: tuple[str, ...]
    routes: tuple[str, ...]
    verified: bool
    beside: tuple[Drug, ...] = ()

    @property
    def drugs(self) -> tuple[Drug, ...]:
        """All ingredients."""
        return self.drug, *self.beside


@dataclass(frozen=True, slots=True, eq=False)
class Allergen:
    """A group of allergens that rules ask about: by ``snomed``, or by its ``name`` where they have no code for it."""

    name: str
    snomed: str | None


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """How a record says whether the patient is pregnant or breast-feeding.

    Either by a diagnosis of the value set ``condition``, or by answering the ``question`` (LOINC) with a code of
    ``yes`` or ``no`` (system, code). How many days a yes, a no and a diagnosis are taken as being of today; ``None``
    for as long as the diagnosis is active.
    """

    condition: str
    question: str
    yes: frozenset[tuple[str, str]]
    no: frozenset[tuple[str, str]]
    yes_days: int
    no_days: int
    diagnosis_days: int | None


@dataclass(frozen=True, slots=True, eq=False)
class ValueSet:
    """A diagnosis that rules ask about, the code ``systems`` that can say or at least suggest it, and the sets of which
    one that holds excludes it.
    """

    name: str
    systems: frozenset[str]
    excluded_by: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """The value sets that a code ``stands_for``, and those that it is too broad for and ``suggests``."""

    stands_for: tuple[str, ...]
    suggests: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Terminology:
    """Codes and what they stand for. ``substances`` (SNOMED CT) and ``partners`` (names) are what rules and rows
    ask about. ``local_products`` are the product codes of what acts where it is put. ``allergens`` are the groups of
    allergens by system and code, ``allergen_names`` the same by the words of a name in the singular. Codes of ICD-10
    have no dot here. ``followed`` are the analytes whose rise is judged, so that one result of them is not enough.
    """

    condition_names: Mapping[str, str]
    conditions_by_snomed: Mapping[str, Meaning]
    conditions_by_icd: Mapping[str, Meaning]
    conditions_by_icd_who: Mapping[str, Meaning]
    conditions: Mapping[str, ValueSet]
    analytes: Mapping[str, Analyte]
    analyte_of_loinc: Mapping[str, str]
    drugs_by_rxnorm: Mapping[str, Drug]
    drugs_by_name: Mapping[str, Drug]
    drugs_by_atc: Mapping[str, Drug]
    atc_aliases: Mapping[str, str]
    local_atc: tuple[str, ...]
    substances: frozenset[str] = frozenset()
    followed: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    names: tuple[DrugName, ...] = ()
    drugs_by_snomed: Mapping[str, Drug] = field(default_factory=dict)
    drugs_by_product: Mapping[str, Drug] = field(default_factory=dict)
    local_products: frozenset[str] = frozenset()
    allergens: Mapping[tuple[str, str], Allergen] = field(default_factory=dict)
    allergen_names: Mapping[tuple[str, ...], Allergen] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)

    def value_sets(self, coding: Coding) -> tuple[str, ...]:
        """Return the value sets of diagnoses that a coding stands for."""
        return tuple(dict.fromkeys(id_ for meaning in self.meanings(coding) for id_ in meaning.stands_for))

    def meanings(self, coding: Coding) -> list[Meaning]:
        """Return what a diagnosis says, a code of ICD-10 with every broader code above it; an id of this knowledge
        base stands for itself.
        """
        code = coding.code
        if coding.system is None:
            return [Meaning((code,), ())] if code in self.conditions else []
        if coding.system == SNOMED:
            return [self.conditions_by_snomed[code]] if code in self.conditions_by_snomed else []
        by_prefix = {ICD10: self.conditions_by_icd, ICD10_WHO: self.conditions_by_icd_who}.get(coding.system, {})
        code = without_dot(code)
        prefixes = (code[:length] for length in _ICD_LENGTHS if length <= len(code))
        return [by_prefix[prefix] for prefix in prefixes if prefix in by_prefix]


def without_dot(code: str) -> str:
    """Return a code of ICD-10 as all its spellings are compared: records write ``K22.0``, ``K220`` and ``k22.0``."""
    return code.replace(".", "").upper()


def slug(name: str) -> str:
    """Return a name as an id: lower case, words joined by hyphens."""
    return "-".join("".join(character if character.isalnum() else " " for character in name.lower()).split())


def singular(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case and without the plural's s: ``Beta-lactams`` as beta, lactam."""
    return tuple(word.removesuffix("s") if len(word) > 3 else word for word in slug(name).split("-") if word)


def every(predicate: Predicate) -> Iterator[Predicate]:
    """Yield a predicate and all those within it."""
    yield predicate
    parts = predicate.parts if isinstance(predicate, AllOf | AnyOf) else ()
    for part in (predicate.part,) if isinstance(predicate, Not) else parts:
        yield from every(part)


def groups(predicate: Predicate) -> Iterator[DrugGroup]:
    """Yield every group of drugs that a predicate asks about."""
    return (item.group for item in every(predicate) if isinstance(item, AllergicTo | Takes))
