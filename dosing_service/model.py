"""The values that travel through the service: what is asked and what is answered.

All are frozen. Answers have the fields of the wire contract, so that they can be encoded as they are. Amounts are
:class:`~decimal.Decimal` and always stand beside a unit and a kind of amount
(:class:`Per`).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
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
    PLAUSIBILITY = "plausibility"
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
    DOSE = "dose"
    FREQUENCY = "frequency"
    ROUTE = "route"
    DURATION = "duration"
    FORMULATION = "formulation"
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
    LEAN = "lean"


class SurfaceAreaFormula(StrEnum):
    """Which formula turns height and weight into a body surface area."""

    MOSTELLER = "mosteller"
    DU_BOIS = "dubois"
    HAYCOCK = "haycock"
    GEHAN_GEORGE = "gehan-george"
    BOYD = "boyd"


# ---------------------------------------------------------------- what is asked


class Age(Value, frozen=True):
    """An age in years, months (both with the part that is running) and days; a gate reads the one in its own unit."""

    years: Decimal
    months: Decimal
    days: Decimal


class Weight(Value, frozen=True):
    """A body weight: ``kg`` is exact; ``value`` and ``unit`` are as they were sent, for the working.

    ``method`` is measured, estimated or stated (by the patient); ``None`` is unknown, as for the day.
    """

    kg: Decimal
    value: Decimal
    unit: str
    measured_on: date | None = None
    method: str | None = None


class Coding(Value, frozen=True):
    """A code of a terminology; ``system`` is ``None`` for an id of this knowledge base."""

    code: str
    system: str | None = None


class Observation(Value, frozen=True):
    """A laboratory value or vital sign by LOINC code.

    ``bound`` (``<``, ``<=``, ``>=`` or ``>``) says that only a limit is known: below 15, not 15.
    """

    code: str
    value: Decimal
    unit: str
    measured_on: date | None = None
    bound: str | None = None


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
    previous_weight: Weight | None = None


class Options(Value, frozen=True):
    """How the caller wants the dose worked out."""

    product: str | None = None
    times_per_day: int | None = None
    divided_over_days: int | None = None
    volume_ml: Decimal | None = None
    dosing_weight: DosingWeight | None = None
    body_surface_area_formula: SurfaceAreaFormula = SurfaceAreaFormula.MOSTELLER
    jurisdiction: str | None = None
    start_date: date | None = None
    schedule_until: date | None = None
    courses: int | None = None
    already_given_mg: Decimal | None = None
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


#: Days in each unit of a frequency; a UCUM month has 30.4375.
DAYS_IN = {"h": Fraction(1, 24), "d": Fraction(1), "wk": Fraction(7), "mo": Fraction(487, 16)}
#: The longest interval in days between administrations that still gives each day, week or month its own.
_LONGEST_INTERVAL = {Per.DAY: Fraction(1), Per.WEEK: Fraction(7), Per.MONTH: Fraction(31)}


class OrderedDose(Value, frozen=True):
    """The dose of an order, ``low`` to ``high`` in a unit of :data:`dosing_service.units.ORDER_UNITS`, as an amount
    ``per`` administration, day, week, month or course.
    """

    low: Decimal
    high: Decimal
    unit: str
    per: Per


class OrderedFrequency(Value, frozen=True):
    """How often an order is given: ``times`` in each ``every`` ``unit`` (h, d, wk or mo).

    ``times_high`` is 0 where no number was given: once only, or as needed without a maximum. ``count`` is the number
    of administrations of one course, which comes again after ``repeat_every`` ``repeat_unit``.
    """

    times_low: int = 0
    times_high: int = 0
    every_low: Decimal = Decimal(1)
    every_high: Decimal = Decimal(1)
    unit: str = "d"
    once: bool = False
    as_needed: bool = False
    count: int | None = None
    repeat_every: Decimal | None = None
    repeat_unit: str | None = None

    def per_day(self) -> tuple[Fraction, Fraction]:
        """Return the fewest and the most administrations a day, counting 30.4375 days to a month."""
        unit = DAYS_IN[self.unit]
        low = Fraction(self.times_low) / (Fraction(self.every_high) * unit)
        return low, Fraction(self.times_high) / (Fraction(self.every_low) * unit)

    def misses(self, per: Per) -> bool:
        """Tell whether there may be days (weeks, months) on which nothing is given: an amount of each of them, given
        like this, contradicts itself.
        """
        longest = _LONGEST_INTERVAL.get(per)
        if longest is None or not self.times_low:
            return self.once and longest is not None
        return Fraction(self.every_high) * DAYS_IN[self.unit] / self.times_low > longest


class OrderedInfusion(Value, frozen=True):
    """How fast an order runs: over so many minutes, at a rate with its unit, or both."""

    duration_minutes: Decimal | None = None
    rate: Decimal | None = None
    rate_unit: str | None = None


class Order(Value, frozen=True):
    """A proposed order. What it leaves out is unknown; ``product`` is a product id or a product code of the agent."""

    id: str
    agent: Coding
    dose: OrderedDose | None = None
    frequency: OrderedFrequency | None = None
    route: str | None = None
    duration_days: Decimal | None = None
    product: Coding | None = None
    infusion: OrderedInfusion | None = None
    already_given_mg: Decimal | None = None
    regimen: str | None = None
    disease: str | None = None
    lesion: str | None = None


class OrderRequest(Value, frozen=True):
    """Proposed orders for one patient."""

    orders: tuple[Order, ...]
    patient: Patient = Patient()
    jurisdiction: str | None = None
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


class WeightDose(Value, frozen=True):
    """The amount that the same regimen comes to by another body weight."""

    kind: DosingWeight
    value: Decimal
    unit: str
    amount: Amount
    references: tuple[str, ...]
    verified: bool


class DosedBy(Value, frozen=True):
    """The weight a dose was multiplied with, why it was this one, and the dose by other weights where a source asks
    for it.
    """

    value: Decimal
    kind: DosingWeight
    unit: str = "kg"
    why: str = ""
    beside: tuple[WeightDose, ...] = ()


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


# ---- dates and rates of the chosen regimen


class ScheduledAmount(Value, frozen=True):
    """The amount of a dated entry; ``value`` is ``None`` where low and high differ, so that nobody picks an end."""

    value: Decimal | None
    low: Decimal
    high: Decimal
    unit: str


class ScheduleEntry(Value, frozen=True):
    """One administration, or a run of equal days (``until`` is its last day, ``None`` where no end is known).

    ``on_latest`` and ``until_latest`` stand beside a documented range of dates. ``count`` says how many amounts fall
    into the entry, ``cycle`` and ``step`` which course it belongs to and which entry of it this is.
    """

    on: date
    on_latest: date | None
    until: date | None
    until_latest: date | None
    per: Per
    amount: ScheduledAmount
    count: int | None
    times_per_day: int | None
    percent: Decimal | None
    cycle: int
    step: int
    regimen: str
    text: str


class ScheduleSummary(Value, frozen=True):
    """From when to when a schedule goes, what it adds up to, and why it is not whole."""

    first_on: date | None
    last_on: date | None
    total: ScheduledAmount | None
    complete: bool
    why: str | None


class Remaining(Value, frozen=True):
    """What is left of a course after what was already given."""

    given: Decimal
    low: Decimal
    high: Decimal
    unit: str
    text: str


class CumulativeCheck(Value, frozen=True):
    """A documented total over all courses, and the day of treatment on which it is reached: ``days_low`` at the upper
    dose, ``days_high`` at the lower one. Without ``given`` the days count from nothing.
    """

    kind: str
    value: Decimal
    unit: str
    effect: str
    given: Decimal | None
    remaining: Decimal | None
    days_low: int | None
    days_high: int | None
    reached_on: date | None
    reached_on_latest: date | None
    text: str
    references: tuple[str, ...]
    verified: bool


class InfusionDilution(Value, frozen=True):
    """How the source makes the infusion up."""

    amount: Quantity
    volume_low: Decimal
    volume_high: Decimal
    text: str
    references: tuple[str, ...]
    verified: bool


class InfusionSpan(Value, frozen=True):
    """A volume (mL) or a length of time (min) of one of the dose's amounts."""

    per: Per
    divided_over_days: int | None
    low: Decimal
    high: Decimal
    unit: str
    text: str


class InfusionTime(Value, frozen=True):
    """The documented time of an infusion in minutes: ``bound`` is ``at-least``, ``between`` or ``about``; ``fastest``
    is the flow at which one infusion takes the shortest time.
    """

    bound: str
    shortest_minutes: Decimal
    longest_minutes: Decimal | None
    fastest: Amount | None
    text: str


class InfusionStep(Value, frozen=True):
    """One step of the rate; ``for_minutes`` is ``None`` for the last."""

    from_minute: Decimal
    for_minutes: Decimal | None
    rate: Quantity
    ml_per_hour: Decimal | None
    text: str


class InfusionMaximum(Value, frozen=True):
    """A highest rate, in the source's unit and in mL/h, and the shortest time that it allows for each amount.

    ``verdict`` is ``possible`` where missing data (``needs``) decide whether it holds.
    """

    rate: Quantity
    ml_per_hour: Decimal | None
    applies_to: str | None
    verdict: Verdict
    because: tuple[str, ...]
    needs: tuple[str, ...]
    shortest: tuple[InfusionSpan, ...]
    text: str


class InfusionPlan(Value, frozen=True):
    """How the dose runs in. The first of ``maxima`` holds: the lower one while it is unknown who is at risk.

    ``solution`` is the strength for which rates in mL are documented, ``concentration`` that of what runs.
    """

    concentration: Quantity | None
    solution: Quantity | None
    dilution: InfusionDilution | None
    volumes: tuple[InfusionSpan, ...]
    time: InfusionTime | None
    rate: Amount | None
    steps: tuple[InfusionStep, ...]
    step_every_minutes: Decimal | None
    maxima: tuple[InfusionMaximum, ...]
    text: str | None
    references: tuple[str, ...]
    verified: bool


# ---- products


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

    Products, rates and dates are worked out for the chosen regimen alone; elsewhere ``practical`` is ``None``.
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
    infusion: InfusionPlan | None = None
    schedule: tuple[ScheduleEntry, ...] | None = None
    schedule_summary: ScheduleSummary | None = None
    remaining: Remaining | None = None
    cumulative: tuple[CumulativeCheck, ...] = ()


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


class BodyMeasure(Value, frozen=True):
    """A measure worked out from height, weight, sex or age: by which method, and where the method is published."""

    value: Decimal
    unit: str
    method: str
    references: tuple[str, ...]
    verified: bool


class BodyMeasures(Value, frozen=True):
    """What is known of the patient's body; a measure is ``None`` where it is not defined or an input is missing."""

    age: Age | None = None
    body_mass_index: BodyMeasure | None = None
    body_surface_area: BodyMeasure | None = None
    ideal_weight: BodyMeasure | None = None
    adjusted_weight: BodyMeasure | None = None
    lean_weight: BodyMeasure | None = None


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
    body_measures: BodyMeasures = BodyMeasures()


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


class OrderVerdict(StrEnum):
    """What an order check comes to, worst first. ``pass`` means that every check ran and found nothing to act on."""

    STOP = "stop"
    WARN = "warn"
    INCOMPLETE = "incomplete"
    PASS = "pass"  # noqa: S105 - no password


class CauseKind(StrEnum):
    """The slips that are looked for behind an order outside its range."""

    WRONG_WEIGHT = "wrong-weight"
    DAILY_INSTEAD_OF_WEEKLY = "daily-instead-of-weekly"
    COURSE_TOTAL_GIVEN_DAILY = "course-total-given-daily"
    WEEKLY_TOTAL_GIVEN_DAILY = "weekly-total-given-daily"
    WEEKLY_TOTAL_GIVEN_EACH_TIME = "weekly-total-given-each-time"
    DAILY_TOTAL_GIVEN_EACH_TIME = "daily-total-given-each-time"
    PER_KG_DOSE_GIVEN_AS_TOTAL = "per-kg-dose-given-as-total"
    TENFOLD = "tenfold"
    THOUSANDFOLD = "thousandfold"
    LB_FOR_KG = "lb-for-kg"


class OrderedAmount(Value, frozen=True):
    """What an order comes to as one kind of amount; ``value`` is the most, ``low`` the least of a range."""

    per: Per
    value: Decimal
    low: Decimal
    unit: str
    text: str


class ExpectedAmount(Value, frozen=True):
    """What a documented regimen comes to for this patient."""

    regimen: str
    per: Per
    low: Decimal
    high: Decimal
    unit: str
    text: str


class Ratio(Value, frozen=True):
    """An order divided by the lower and by the upper end of a documented range: within is ``low`` >= 1 >= ``high``."""

    low: Decimal | None
    high: Decimal


class WouldBe(Value, frozen=True):
    """An order without its slip: the dose, the frequency in words where that is what changes, or the weight."""

    text: str
    regimen: str
    dose: "OrderedDose | None" = None
    frequency: str | None = None
    weight: Quantity | None = None


class LikelyCause(Value, frozen=True):
    """A slip that would explain an order outside its range."""

    kind: CauseKind
    summary: str
    would_be: WouldBe


class OrderAssessment(Value, frozen=True):
    """The judgement of one order. ``agent`` is ``None`` for a drug that this knowledge base has no doses of.

    ``regimen`` is the one the order was compared with; ``together`` holds the sum with the orders in ``summed_with``.
    """

    id: str
    agent: str | None
    regimen: str | None
    verdict: OrderVerdict
    ordered: tuple[OrderedAmount, ...]
    summed_with: tuple[str, ...]
    together: tuple[OrderedAmount, ...]
    expected: tuple[ExpectedAmount, ...]
    ratio: Ratio | None
    likely_causes: tuple[LikelyCause, ...]
    limits: tuple[LimitCheck, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    monitoring: tuple[MonitoringItem, ...]


class OrderCheck(Value, frozen=True):
    """The judgement of all orders together; ``findings`` are those about the patient."""

    verdict: OrderVerdict
    orders: tuple[OrderAssessment, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    as_of: date | None
