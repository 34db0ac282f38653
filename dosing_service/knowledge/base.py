"""The compiled knowledge base: frozen, cross-checked, in canonical units.

Knowledge values compare by identity (``eq=False``): there is one of each, and functions of them can be remembered
cheaply.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from dosing_service.knowledge.growth import GrowthReference
from dosing_service.knowledge.products import CodedProduct
from dosing_service.knowledge.ranges import Range
from dosing_service.knowledge.safety import Interaction, Safety, Terminology
from dosing_service.model import Basis, Citations, DosingWeight, Per, Severity
from dosing_service.units import DoseUnit

if TYPE_CHECKING:
    from dosing_service.knowledge.pathways import Pathway


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A citation: what kind of source it is, and how much of it was seen."""

    id: str
    kind: str
    citation: str
    seen: str
    pmid: str | None = None
    pmcid: str | None = None
    doi: str | None = None
    url: str | None = None


#: Adults, for figures whose source names no population; 18 years is where the labels and consensus papers cited here
#: draw the line.
ADULT = Range("a", Decimal(18), True, None, False)


@dataclass(frozen=True, slots=True, eq=False)
class DoseFigure:
    """A documented figure: ``low`` to ``high`` in ``unit``, as an amount per ``per``."""

    low: Decimal
    high: Decimal
    unit: DoseUnit
    per: Per
    values: tuple[Decimal, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A dose for one range of weight, age or body surface area."""

    range: Range
    figure: DoseFigure


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """For whom a regimen is documented; ``egfr`` is the estimated GFR in mL/min/1.73 m²."""

    description: str
    age: Range | None
    weight: Range | None
    egfr: Range | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frequency:
    """How often a dose is given: ``times`` in each ``every`` ``unit``, or on given days, or once.

    ``goes_on`` tells whether more follow, at the same interval, after the given days.
    """

    times_low: int
    times_high: int
    every_low: int
    every_high: int
    unit: str
    text: str
    on_days: tuple[int, ...] = ()
    goes_on: bool = True

    @property
    def is_regular(self) -> bool:
        """Whether one number of administrations falls on each single day, week or month."""
        return not self.on_days and self.every_low == self.every_high == 1


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How long a course is, into how many parts it is divided, and when the next begins.

    ``starts`` lists the first days of the first courses where they follow each other at another interval than later
    ones.
    """

    administrations_low: int | None
    administrations_high: int | None
    length: Decimal | None
    length_high: Decimal | None
    length_unit: str | None
    days_low: int | None
    days_high: int | None
    repeat_low: Decimal | None
    repeat_high: Decimal | None
    repeat_unit: str | None
    starts: Frequency | None


class Effect(StrEnum):
    """What a limit does to a dose above it."""

    CAP = "cap"
    WARN = "warn"


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """A documented maximum. For a regimen, ``value`` is in the amount unit of that regimen's dose; ``dose`` is the
    range of doses (mg/kg/d) that it is documented for, ``applies_to`` says in words what the limit is restricted to.
    """

    kind: str
    value: Decimal
    unit: DoseUnit
    effect: Effect
    formulation: str | None
    route: str | None
    age: Range | None
    weight: Range | None
    dose: Range | None
    applies_to: str | None
    citations: Citations


class TimeIs(StrEnum):
    """What the documented time of an infusion says: a shortest time, a range, or how long it took."""

    AT_LEAST = "at-least"
    BETWEEN = "between"
    ABOUT = "about"


@dataclass(frozen=True, slots=True, eq=False)
class RateSteps:
    """How the rate is raised: from its lowest figure by ``size`` (not always documented), every so many minutes."""

    size: Decimal | None
    every_minutes: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class ReducedRate:
    """The highest rate for people at risk, in the unit of the rate; ``rules`` are the agent's rules that say who is."""

    high: Decimal
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Dilution:
    """What is made up to be infused: an amount of the drug in so many mL."""

    amount: Decimal
    unit: DoseUnit
    volume_low: Decimal
    volume_high: Decimal
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class ShortestTime:
    """A time that ``amount`` (mg) and more may never run in less than: faster is forbidden, not only undocumented."""

    amount: Decimal
    minutes: Decimal
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Infusion:
    """How fast an infusion may run. ``solution`` is the strength (mg/mL) for which rates in mL are documented."""

    time: DoseFigure | None
    time_is: TimeIs | None
    rate: DoseFigure | None
    steps: RateSteps | None
    reduced: ReducedRate | None
    solution: Decimal | None
    dilution: Dilution | None
    shortest: ShortestTime | None
    note: str | None
    citations: Citations

    @property
    def minutes(self) -> tuple[Decimal, Decimal] | None:
        """The documented time in minutes, low and high."""
        if self.time is None:
            return None
        factor = _MINUTES_IN[self.time.unit.code]
        return self.time.low * factor, self.time.high * factor


#: The units that the time of an infusion may have.
_MINUTES_IN = {"min": Decimal(1), "h": Decimal(60)}


@dataclass(frozen=True, slots=True, eq=False)
class TaperStep:
    """The share of the starting dose that is reached ``after`` so many ``unit`` of treatment; 0 is the end."""

    after: int
    unit: str
    percent: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What stands behind a regimen."""

    level: str | None
    patients: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True, eq=False)
class CompareWeights:
    """That a source doses heavy patients by another weight: above this body mass index (kg/m²) the doses by ideal and
    adjusted weight are shown beside.
    """

    above_bmi: Decimal
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Regimen:
    """One documented way to give an agent. Exactly one of ``figure`` and ``bands`` is present.

    ``ages``, ``weights`` and ``egfr`` say whom it is for. A fixed amount whose source names no population is held to
    be for adults. ``titrated`` says that the dose is where a titration starts that has no documented end.
    """

    id: str
    name: str
    use: str
    indication: str
    diseases: tuple[str, ...]
    lesion: str | None
    route: str
    formulation: str | None
    off_label: bool
    population: Population | None
    ages: Range | None
    weights: Range | None
    basis: Basis
    per: Per
    amount_unit: str
    figure: DoseFigure | None
    bands: tuple[Band, ...]
    volume: DoseFigure | None
    dosing_weight: DosingWeight
    frequency: Frequency | None
    course: Course | None
    limits: tuple[Limit, ...]
    infusion: Infusion | None
    evidence: Evidence
    titration: str | None
    duration: str | None
    taper: str | None
    taper_steps: tuple[TaperStep, ...]
    administration: str | None
    followed_by: str | None
    citations: Citations
    compare_weights: CompareWeights | None = None
    titrated: bool = False

    @property
    def egfr(self) -> Range | None:
        """The estimated GFR (mL/min/1.73 m²) of those whom it is for; ``None`` where renal function plays no part."""
        return self.population.egfr if self.population else None

    @property
    def any_figure(self) -> DoseFigure:
        """The figure, or that of the first band."""
        return self.figure or self.bands[0].figure


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Something that can be dispensed.

    ``routes`` says for which routes it suits, ``release_hours`` over how long one piece of an extended-release form
    acts, ``regions`` where it is sold (empty where no source restricts it), ``rxnorm`` which codes are this product.
    """

    id: str
    form: str
    routes: tuple[str, ...]
    formulation: str | None
    release_hours: int | None
    strength: Decimal
    strength_unit: DoseUnit
    volume_ml: Decimal | None
    divisible: bool | None
    regions: tuple[str, ...]
    diluent: "Note | None"
    rxnorm: tuple[str, ...]
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class PositionRule:
    """One side of a disagreement: a regimen, an amount, or words."""

    says: str
    regimen: str | None
    figure: DoseFigure | None
    text: str | None
    age: Range | None
    weight: Range | None
    dosing_weight: DosingWeight
    reaches: Decimal | None
    reaches_unit: str | None
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """An entry of the conflict register as it concerns one agent; one that is ``undated`` is about a rhythm of which an
    order is stopped, so that its days are worked out only for who asks for a contraindicated dose.
    """

    id: str
    severity: Severity
    topic: str
    summary: str
    management: str
    regimens: tuple[str, ...]
    age: Range | None
    weight: Range | None
    compare: frozenset[str]
    undated: bool
    positions: tuple[PositionRule, ...]
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One piece of evidence."""

    design: str
    patients: int | None
    dose: str | None
    outcome: str
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceFinding:
    """What the evidence obliges the service to say with every answer; one that ``warns`` counts for an order's verdict,
    any other only says how the sources stand.
    """

    severity: Severity
    summary: str
    management: str
    warns: bool


@dataclass(frozen=True, slots=True, eq=False)
class AgentEvidence:
    """What is known of an agent in calcinosis cutis."""

    verdict: str
    summary: str
    studies: tuple[Study, ...]
    finding: EvidenceFinding | None
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """A short fact with its source."""

    text: str
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class OtherUses:
    """For what else a drug is much used, in doses that are not documented here; ``limit`` is the most of those uses."""

    text: str
    limit: Limit | None
    citations: Citations


@dataclass(frozen=True, slots=True, eq=False)
class AgentCoding:
    """A code of an agent in a terminology."""

    system: str
    code: str
    verified: bool


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    """A drug or a procedure."""

    id: str
    name: str
    kind: str
    class_: str
    synonyms: tuple[str, ...]
    codings: tuple[AgentCoding, ...]
    default_regimen: str | None
    notes: tuple[Note, ...]
    other_uses: OtherUses | None
    evidence: AgentEvidence
    products: Mapping[str, Product]
    regimens: Mapping[str, Regimen]
    disagreements: tuple[Disagreement, ...]
    safety: Safety


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswer:
    """A dose worked out by hand that the service must reproduce before it is ready."""

    sentence: str
    request: Mapping[str, object]
    expected: Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class KnowledgeBase:
    """Everything the service knows, with the version and digest under which it was computed."""

    version: str
    released: str
    reviewed: str
    digest: str
    agents: Mapping[str, Agent]
    references: Mapping[str, Reference]
    known_answers: tuple[KnownAnswer, ...]
    terminology: Terminology
    interactions: Mapping[str, Interaction]
    interactions_of: Mapping[str, tuple[Interaction, ...]]
    pathway: "Pathway"
    coded_products: Mapping[str, CodedProduct]
    product_of_code: Mapping[str, tuple[str, str]]
    growth: GrowthReference


def describe_population(regimen: Regimen) -> str:
    """Return for whom a regimen is documented, in words."""
    if regimen.population is not None:
        return regimen.population.description
    return "adults (population not stated)" if regimen.ages is not None else "all ages (population not stated)"


@cache
def agent_names(knowledge: KnowledgeBase) -> Mapping[str, str]:
    """Return every id, name and synonym of an agent in lower case, with the id it stands for."""
    agents = knowledge.agents.values()
    return {name.lower(): agent.id for agent in agents for name in (agent.id, agent.name, *agent.synonyms)}
