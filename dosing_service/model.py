"""The values that travel through the service: what is asked and what is answered.

All are frozen. Answers have the fields of the wire contract, so that they can be encoded as they are. Amounts are
:class:`~decimal.Decimal` and always stand beside a unit and a kind of amount
(:class:`Per`).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec


class Value(msgspec.Struct, frozen=True):
    """Base of all values: frozen, compared by content. A frozen dataclass takes ten times as long to make."""


class Per(StrEnum):
    """The kind of an amount. Two amounts of different kinds are never compared or added."""

    ADMINISTRATION = "administration"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    COURSE = "course"
    RATE = "rate"


class Basis(StrEnum):
    """What a documented dose is counted on."""

    FIXED = "fixed"
    BODY_WEIGHT = "per-body-weight"
    BODY_SURFACE_AREA = "per-body-surface-area"
    WEIGHT_BAND = "weight-band"
    AGE_BAND = "age-band"
    BODY_SURFACE_AREA_BAND = "body-surface-area-band"
    CONCENTRATION_VOLUME = "concentration-volume"
    CONCENTRATION = "concentration"


class Status(StrEnum):
    """How a dose calculation ended."""

    COMPUTED = "computed"
    CONTRAINDICATED = "contraindicated"
    NOT_COMPUTABLE = "not-computable"
    NO_DOCUMENTED_DOSE = "no-documented-dose"
    CHOOSE_REGIMEN = "choose-regimen"


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    CONTRAINDICATED = "contraindicated"
    MAJOR = "major"
    MODERATE = "moderate"
    MINOR = "minor"
    INFO = "info"


class Category(StrEnum):
    """What a finding is about; findings of one severity are ordered by this list."""

    CONTRAINDICATION = "contraindication"
    BOXED_WARNING = "boxed-warning"
    ALLERGY = "allergy"
    INTERACTION = "interaction"
    DUPLICATE_THERAPY = "duplicate-therapy"
    PREGNANCY = "pregnancy"
    LACTATION = "lactation"
    AGE = "age"
    RENAL = "renal"
    HEPATIC = "hepatic"
    CARDIAC = "cardiac"
    PRECAUTION = "precaution"
    POPULATION = "population"
    DOSE_LIMIT = "dose-limit"
    EVIDENCE = "evidence"
    DISAGREEMENT = "disagreement"
    INDICATION = "indication"
    VACCINE = "vaccine"
    ADMINISTRATION = "administration"
    OFF_LABEL = "off-label"


class Verdict(StrEnum):
    """Whether a finding applies to this patient, or may, because data are missing."""

    APPLIES = "applies"
    POSSIBLE = "possible"


class Sex(StrEnum):
    """Sex as formulas for ideal body weight need it; ``other`` leaves those formulas unanswered."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class DosingWeight(StrEnum):
    """Which weight a per-kg dose is multiplied with."""

    ACTUAL = "actual"
    IDEAL = "ideal"
    ADJUSTED = "adjusted"


# ---------------------------------------------------------------- what is asked


class Age(Value, frozen=True):
    """An age in years, months (both with the part that is running) and days; a gate reads the one in its own unit."""

    years: Decimal
    months: Decimal
    days: Decimal


class Weight(Value, frozen=True):
    """A body weight: ``kg`` is exact; ``value`` and ``unit`` are as they were sent, for the working."""

    kg: Decimal
    value: Decimal
    unit: str


class Coding(Value, frozen=True):
    """A code of a terminology; ``system`` is ``None`` for an id of this knowledge base."""

    code: str
    system: str | None = None


class Observation(Value, frozen=True):
    """A laboratory value or vital sign by LOINC code."""

    code: str
    value: Decimal
    unit: str
    measured_on: date | None = None


class Patient(Value, frozen=True):
    """What is known of the patient. ``None`` is unknown; an empty tuple is known to be none."""

    age: Age | None = None
    sex: Sex | None = None
    weight: Weight | None = None
    height_cm: Decimal | None = None
    pregnant: bool | None = None
    lactating: bool | None = None
    conditions: tuple[Coding, ...] | None = None
    allergies: tuple[Coding, ...] | None = None
    medications: tuple[Coding, ...] | None = None
    observations: tuple[Observation, ...] | None = None


class Options(Value, frozen=True):
    """How the caller wants the dose worked out."""

    product: str | None = None
    times_per_day: int | None = None
    divided_over_days: int | None = None
    volume_ml: Decimal | None = None
    dosing_weight: DosingWeight | None = None
    jurisdiction: str | None = None
    start_date: date | None = None
    include_contraindicated: bool = False
    include_outside_population: bool = False


class DoseRequest(Value, frozen=True):
    """One agent for one patient."""

    agent: str
    patient: Patient = Patient()
    regimen: str | None = None
    disease: str | None = None
    lesion: str | None = None
    options: Options = Options()
    as_of: date | None = None


class TreatmentRequest(Value, frozen=True):
    """A presentation of one patient; a feature that is not in ``presentation`` is unknown."""

    presentation: Mapping[str, Any]
    patient: Patient = Patient()
    as_of: date | None = None


# ---------------------------------------------------------------- what is answered


class Quantity(Value, frozen=True):
    """A number with its unit."""

    value: Decimal
    unit: str


class Citations(Value, frozen=True):
    """The references of a figure, and whether at least one of them was seen to state it."""

    references: tuple[str, ...]
    verified: bool


class Amount(Value, frozen=True):
    """A computed amount of one kind; ``low == high`` for a single figure, ``values`` where the source gives single
    figures.
    """

    per: Per
    low: Decimal
    high: Decimal
    unit: str
    text: str
    values: tuple[Decimal, ...] | None = None
    times_per_day: int | None = None
    divided_over_days: int | None = None


class DosedBy(Value, frozen=True):
    """The weight a dose was multiplied with."""

    value: Decimal
    kind: DosingWeight
    unit: str = "kg"


class LimitCheck(Value, frozen=True):
    """A documented maximum beside the dose.

    ``reached`` (at or above) and ``exceeded`` (above) compare the amount before any cap; both are ``None`` when it
    could not be compared.
    """

    kind: str
    value: Decimal
    unit: str
    effect: str
    applies_to: str | None
    reached: bool | None
    exceeded: bool | None
    needs: tuple[str, ...]
    references: tuple[str, ...]
    verified: bool


class Cap(Value, frozen=True):
    """What a maximum did to a dose: the amount before it, the maximum, and the body measure from which it bites."""

    kind: str
    uncapped: Amount
    value: Decimal
    unit: str
    bites_above: Quantity | None


class PracticalStatus(StrEnum):
    """Whether an amount can be given in real products."""

    EXACT = "exact"
    ROUNDED = "rounded"
    NOT_MAKEABLE = "not-makeable"


class KindedQuantity(Value, frozen=True):
    """A number with its unit and its kind of amount."""

    value: Decimal
    unit: str
    per: Per


class WantedAmount(Value, frozen=True):
    """What a practical dose aims at: a documented range, one end of it, or a single figure."""

    low: Decimal
    high: Decimal
    unit: str
    per: Per


class Pieces(Value, frozen=True):
    """A number of tablets, vials or other pieces of one product; 0.5 is half a tablet."""

    product: str
    count: Decimal


class Waste(Value, frozen=True):
    """What is left over in opened vials at each administration; ``volume_ml`` where the concentration is known."""

    value: Decimal
    unit: str
    volume_ml: Decimal | None


class NearestDose(Value, frozen=True):
    """An amount that can be made although the wanted one cannot; its deviation is from the nearer end."""

    per_administration: str
    pieces: tuple[Pieces, ...]
    amount: KindedQuantity
    deviation_percent: Decimal


class CourseQuantity(Value, frozen=True):
    """What is needed for the whole course: pieces rounded up to whole ones, or a volume."""

    administrations: int
    pieces: tuple[Pieces, ...]
    volume_ml: Decimal | None
    text: str


class PracticalDose(Value, frozen=True):
    """A dose in products that can be combined with each other.

    ``achieved`` is exactly what the pieces or the volume hold, in the regimen's own kind of amount; it is ``None``, and
    ``nearest`` says what there is, where nothing fits. ``deviation_percent`` is negative below the wanted amount.
    """

    product: str
    form: str
    formulation: str | None
    wanted: WantedAmount
    times_per_day: int | None
    status: PracticalStatus
    text: str
    references: tuple[str, ...]
    verified: bool
    per_administration: str | None = None
    pieces: tuple[Pieces, ...] = ()
    volume_ml: Decimal | None = None
    diluted_to_ml: Decimal | None = None
    diluent: str | None = None
    waste: Waste | None = None
    achieved: KindedQuantity | None = None
    achieved_per_kg: Quantity | None = None
    deviation_percent: Decimal | None = None
    nearest: tuple[NearestDose, ...] = ()
    quantity_for_course: CourseQuantity | None = None


class Dose(Value, frozen=True):
    """A computed dose: the amount in the regimen's own kind first, then every kind that follows from it.

    ``practical`` is worked out for the chosen regimen alone; under the alternatives it is ``None``. What turns a dose
    into rates and dates is not part of this version and stays ``None``.
    """

    basis: Basis
    amounts: tuple[Amount, ...]
    limits: tuple[LimitCheck, ...]
    dosing_weight: DosedBy | None
    body_surface_area: Quantity | None
    concentration: Amount | None
    cap: Cap | None
    frequency: str | None
    course_total: Amount | None
    references: tuple[str, ...]
    verified: bool
    practical: tuple[PracticalDose, ...] | None = None
    infusion: None = None
    schedule: None = None


class Step(Value, frozen=True):
    """One line of the working."""

    expression: str
    result: str
    references: tuple[str, ...]
    verified: bool


class Position(Value, frozen=True):
    """What one side of a disagreement comes to for this patient."""

    says: str
    text: str
    references: tuple[str, ...]
    verified: bool


class Finding(Value, frozen=True):
    """Something a clinician should know before acting: what, for this patient, why, and what to do."""

    id: str
    category: Category
    severity: Severity
    verdict: Verdict
    summary: str
    because: tuple[str, ...]
    management: str
    references: tuple[str, ...]
    verified: bool
    positions: tuple[Position, ...] = ()


class NotChecked(Value, frozen=True):
    """A check that did not run, the fields that would let it run, and why it matters."""

    check: str
    needs: tuple[str, ...]
    why: str


class BaselineStatus(StrEnum):
    """What the request says of a monitored value."""

    DONE = "done"
    OUT_OF_RANGE = "out-of-range"
    TOO_OLD = "too-old"
    NOT_GIVEN = "not-given"


class MonitoringThreshold(Value, frozen=True):
    """A bound of a monitored value in words, and what to do beyond it."""

    text: str
    action: str
    references: tuple[str, ...]
    verified: bool


class MonitoringItem(Value, frozen=True):
    """One line of the monitoring plan, with what the request says of it; dated when a start date was given."""

    parameter: str
    loinc: tuple[str, ...]
    baseline: bool
    interval: str | None
    thresholds: tuple[MonitoringThreshold, ...]
    status: BaselineStatus
    result: Quantity | None
    measured_on: date | None
    action: str | None
    baseline_on: date | None
    next_on: date | None
    references: tuple[str, ...]
    verified: bool


class RenalFunction(Value, frozen=True):
    """A creatinine clearance or estimated GFR that was used: its value, how it came about and from which inputs."""

    kind: str
    value: Decimal
    unit: str
    method: str
    because: tuple[str, ...]
    references: tuple[str, ...]
    verified: bool


class Alternative(Value, frozen=True):
    """Another regimen that applies, or may apply, to this patient; ``dose`` is ``None`` where an input is missing."""

    regimen: str
    verdict: Verdict
    dose: Dose | None
    derivation: tuple[Step, ...]
    not_checked: tuple[NotChecked, ...]


class Assessment(Value, frozen=True):
    """The whole answer to one dose request; ids refer to the knowledge base it was computed with."""

    status: Status
    agent: str
    regimen: str | None
    dose: Dose | None
    alternatives: tuple[Alternative, ...]
    derivation: tuple[Step, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    monitoring: tuple[MonitoringItem, ...]
    renal_function: tuple[RenalFunction, ...]
    as_of: date | None


class OptionReason(Value, frozen=True):
    """Why a source names an option for a presentation, and what speaks against it."""

    scenario: str
    line: int
    role: str
    rationale: str
    references: tuple[str, ...]
    verified: bool
    against: str | None
    against_references: tuple[str, ...]


class TreatmentOption(Value, frozen=True):
    """An agent or procedure for this patient: line, reasons, evidence, and the findings that matter."""

    agent: str
    name: str
    kind: str
    regimen: str | None
    line: int
    role: str
    reasons: tuple[OptionReason, ...]
    verdict: str
    evidence: str
    status: Status
    dose: str | None
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    references: tuple[str, ...]
    verified: bool


class TreatmentOptions(Value, frozen=True):
    """The options for a presentation; ``notes`` are those of the scenarios that fit."""

    scenarios: tuple[str, ...]
    options: tuple[TreatmentOption, ...]
    not_recommended: tuple[TreatmentOption, ...]
    notes: tuple[Any, ...]
    not_checked: tuple[NotChecked, ...]
    as_of: date | None
