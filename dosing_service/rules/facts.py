"""What is known of a patient, looked up once per request: diagnoses, drugs, allergies, latest results."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from dosing_service.knowledge.lab_units import dimension, in_base
from dosing_service.knowledge.ranges import Range
from dosing_service.knowledge.safety import Allergen, Analyte, Drug, DrugGroup, Terminology, ValueSet, singular, slug
from dosing_service.model import Citations, Coding, NotChecked, Observation, Patient, RenalFunction, Value
from dosing_service.rules import renal
from dosing_service.rules.renal import Clearance
from dosing_service.systems import ATC, ICD10, ICD10_WHO, RXNORM, SNOMED

#: A code of the fifth level, one substance. Anything shorter or otherwise spelled is matched as far as it goes, and
#: said to be unknown.
_ATC = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}")
#: No source sets a limit for all results, so this one is ours, and the same as that of a weight. What an agent asks to
#: be measured more often stands in its monitoring plan.
STALE_DAYS = 365
#: A clearance that the laboratory reports is not computed here and needs no formula.
_REPORTED = Citations((), verified=True)


class Substance(Value, frozen=True):
    """A drug or allergen: what it is called, its agent if it is one of ours, and its codes."""

    name: str
    agent: str | None = None
    atc: tuple[str, ...] = ()
    rxnorm: frozenset[str] = frozenset()
    snomed: str | None = None
    is_known: bool = True

    @property
    def is_nameless(self) -> bool:
        """Whether neither a code nor a name of it is one that anything here could be about."""
        return not (self.is_known or self.agent or self.atc or self.rxnorm or self.snomed)


class Entry(Value, frozen=True):
    """A substance of the request, and where it stands there."""

    path: str
    substance: Substance


class Result(Value, frozen=True):
    """The latest usable result of an analyte, in the analyte's base unit and as it was sent."""

    path: str
    base: Decimal
    observation: Observation

    def is_in(self, range_: Range) -> bool | None:
        """Tell whether the result lies in a range of the base unit; ``None`` where it is a bound that leaves it open.

        Below 15 is below 30; above 60 is not below 30, and may be below 90.
        """
        bound = self.observation.bound
        if bound is None:
            return range_.contains(self.base)
        is_upper, is_included = bound in {"<", "<="}, bound in {"<=", ">="}
        start, end = (None, self.base) if is_upper else (self.base, None)
        possible = Range(range_.unit, start, is_included, end, is_included)
        if range_.covers(possible):
            return True
        return None if range_.overlaps(possible) else False


class Diagnoses(Value, frozen=True):
    """A list of diagnoses by the value sets that its entries stand for (``listed``) or only suggest, each with the
    places of the entries; ``unknown`` are the places of those that no set knows.

    ``spoken`` are the code systems of all entries that are no ids of ours, ``unread`` those of the unknown ones.
    """

    listed: Mapping[str, tuple[str, ...]]
    suggested: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    spoken: frozenset[str | None]
    unread: frozenset[str | None]

    def leaves_open(self, id_: str, value_set: ValueSet) -> bool:
        """Tell whether a set that is not listed may hold all the same: an entry is too broad to say, or the list is in
        codes and no code can say it, or an entry that no set knows is in a system in which this one has no code.
        """
        if not value_set.excluded_by.isdisjoint(self.listed):
            return False
        if id_ in self.suggested or (self.spoken and not value_set.systems):
            return True
        return bool((self.unread & {SNOMED, ICD10}) - value_set.systems)


class Facts:
    """A patient seen through a terminology. ``None`` stands for unknown throughout."""

    def __init__(
        self,
        patient: Patient,
        terminology: Terminology,
        ordered: tuple[Entry, ...] = (),
        *,
        as_of: date | None = None,
    ) -> None:
        """Take also the drugs that are ``ordered`` together: they count as medication, even where that is unknown.

        ``as_of`` is the day that results are compared with; without it none is too old.
        """
        self.patient = patient
        self.as_of = as_of
        self.terminology = terminology
        self.ordered = ordered
        self.diagnoses = None if patient.conditions is None else _diagnoses(patient.conditions, terminology)
        self.medications = _entries("medications", patient.medications, terminology)
        self.drugs = (*(self.medications or ()), *ordered)
        self.allergies = _entries("allergies", patient.allergies, terminology)
        latest, self.unreadable = _latest(patient.observations or (), terminology)
        self.results = {id_: item for id_, item in latest.items() if item.observation.bound is None}
        self.bounds = {id_: item for id_, item in latest.items() if item.observation.bound is not None}
        sent = enumerate(patient.observations or ())
        self._old = {f"patient.observations[{index}]": item for index, item in sent if self._is_too_old(item)}
        self._clearances: dict[str, Clearance | None] = {}

    def too_old(self, paths: tuple[str, ...]) -> tuple[Observation, ...]:
        """Return those of the results at ``paths`` that are too old to rule anything out."""
        return tuple([self._old[path] for path in paths if path in self._old])

    def _is_too_old(self, observation: Observation) -> bool:
        measured_on = observation.measured_on
        return measured_on is not None and self.as_of is not None and (self.as_of - measured_on).days > STALE_DAYS

    def baseline(self, analyte: str) -> Result | None:
        """Return the lowest result of a day before that of the latest result, of equal ones the last; ``None`` where
        nothing dates them.

        A record does not say which result was the one before treatment. The lowest misses no rise; whoever reads the
        finding sees both figures with their days.
        """
        latest = self.results.get(analyte)
        until = latest.observation.measured_on if latest else None
        if until is None:
            return None
        earlier = [item for item in self._dated(analyte) if item[0] < until]
        return min(earlier, key=lambda item: (item[1].base, until - item[0]), default=(until, None))[1]

    def _dated(self, analyte: str) -> Iterator[tuple[date, Result]]:
        """Yield the readable results of an analyte that have a day, with that day."""
        known = self.terminology.analytes[analyte]
        for index, observation in enumerate(self.patient.observations or ()):
            day = observation.measured_on
            if observation.code not in known.units or observation.bound or day is None:
                continue
            base = in_base_of_code(observation, known)
            if base is not None:
                yield day, Result(f"patient.observations[{index}]", base, observation)

    def clearance(self, kind: str) -> Clearance | None:
        """Return creatinine clearance (``crcl``) or estimated GFR (``egfr``): as measured, else computed, else
        ``None``.
        """
        if kind not in self._clearances:
            self._clearances[kind] = self._measured(kind) or self._computed(kind)
        return self._clearances[kind]

    def state(self, field: str) -> tuple[bool | None, tuple[str, ...]]:
        """Return whether the patient is ``pregnant`` or ``lactating``, and what says so: what was given for it, else a
        diagnosis. Without such a diagnosis nobody knows.
        """
        given: bool | None = getattr(self.patient, field)
        if given is not None:
            return given, (f"patient.{field}",)
        listed = self.diagnoses.listed if self.diagnoses is not None else {}
        diagnosed = listed.get(self.terminology.states[field].condition, ())
        return (True if diagnosed else None), diagnosed

    def clearance_needs(self, kind: str) -> tuple[str, ...]:
        """Return what would let a clearance that is not known be worked out."""
        return renal.inputs(kind, self.patient, has_creatinine="creatinine" in self.results)

    def _measured(self, kind: str) -> Clearance | None:
        result = self.results.get(kind)
        if result is None:
            return None
        return Clearance(result.base, "as reported", (result.path,), _REPORTED)

    def _computed(self, kind: str) -> Clearance | None:
        creatinine = self.results.get("creatinine")
        if creatinine is None:
            return None
        formula = renal.creatinine_clearance if kind == "crcl" else renal.estimated_gfr
        return formula(self.patient, creatinine.base, creatinine.path)

    def clearances_used(self) -> list[RenalFunction]:
        """Return the clearances that a rule has asked for and that are known."""
        used = ((kind, item) for kind, item in sorted(self._clearances.items()) if item is not None)
        return [_renal_function(kind, item) for kind, item in used]

    def uncoded(self) -> list[NotChecked]:
        """Return the codes that nothing here knows, and the results that could not be read."""
        entries = (*(self.medications or ()), *(self.allergies or ()))
        unknown_drugs = [entry.path for entry in entries if not entry.substance.is_known]
        found = []
        if self.diagnoses is not None and self.diagnoses.unknown:
            why = "no rule knows these diagnoses; they were not considered"
            found.append(NotChecked("conditions", self.diagnoses.unknown, why))
        if unknown_drugs:
            why = "these drugs are not in the terminology; their interactions and cross-allergies were not checked"
            found.append(NotChecked("drugs", tuple(unknown_drugs), why))
        if self.unreadable:
            why = "no analyte has this LOINC code, or the unit does not fit the code; these results were not used"
            found.append(NotChecked("observations", self.unreadable, why))
        return found


def _renal_function(kind: str, item: Clearance) -> RenalFunction:
    unit = "mL/min" if kind == "crcl" else "mL/min/{1.73_m2}"
    cited = item.citations
    return RenalFunction(kind, item.value, unit, item.method, item.because, cited.references, cited.verified)


def _diagnoses(codings: tuple[Coding, ...], terminology: Terminology) -> Diagnoses:
    listed: dict[str, list[str]] = {}
    suggested: dict[str, list[str]] = {}
    unknown = []
    spoken, unread = set(), set()
    for index, coding in enumerate(codings):
        path = f"patient.conditions[{index}]"
        meanings = terminology.meanings(coding)
        for meaning in meanings:
            for id_ in meaning.stands_for:
                listed.setdefault(id_, []).append(path)
            for id_ in meaning.suggests:
                suggested.setdefault(id_, []).append(path)
        # The editions of ICD-10 are one way of speaking.
        system = ICD10 if coding.system == ICD10_WHO else coding.system
        if system is not None or not meanings:
            spoken.add(system)
        if not meanings:
            unknown.append(path)
            unread.add(system)
    return Diagnoses(_places(listed), _places(suggested), tuple(unknown), frozenset(spoken), frozenset(unread))


def _places(found: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    """Return each set's places once: a code may be in a set by its category and by itself."""
    return {id_: tuple(dict.fromkeys(paths)) for id_, paths in found.items()}


def _entries(name: str, codings: tuple[Coding, ...] | None, terminology: Terminology) -> tuple[Entry, ...] | None:
    if codings is None:
        return None
    paths = (f"patient.{name}[{index}]" for index in range(len(codings)))
    read = taken if name == "medications" else allergen
    return tuple([Entry(path, read(coding, terminology)) for path, coding in zip(paths, codings, strict=True)])


def taken(coding: Coding, terminology: Terminology) -> Substance:
    """Return the drug of a medication list: one for local use, by its ATC or product code, does not count as the agent
    itself.

    An allergen does: who reacts to a cream reacts to the tablet.
    """
    known = substance(coding, terminology)
    is_local = coding.system == ATC and coding.code.startswith(terminology.local_atc)
    if not is_local and not (coding.system == RXNORM and coding.code in terminology.local_products):
        return known
    atc = tuple(code for code in known.atc if code.startswith(terminology.local_atc))
    return Substance(f"{known.name} for local use", None, atc) if known.agent else known


def allergen(coding: Coding, terminology: Terminology) -> Substance:
    """Return the allergen that a coding stands for: a group that rules ask about, else a drug."""
    system = coding.system
    group = terminology.allergens.get((system, coding.code)) if system else _group_named(coding.code, terminology)
    return Substance(group.name, snomed=group.snomed) if group else substance(coding, terminology)


def _group_named(name: str, terminology: Terminology) -> Allergen | None:
    """Return the group of a name, unless it is that of a drug: an agent's id stays what it is."""
    return None if name in terminology.drugs_by_name else terminology.allergen_names.get(singular(name))


def substance(coding: Coding, terminology: Terminology) -> Substance:
    """Return the drug or allergen that a coding stands for; what the terminology does not know says so."""
    code = coding.code
    if coding.system == RXNORM:
        drug = terminology.drugs_by_rxnorm.get(code) or terminology.drugs_by_product.get(code)
        return _of_drug(drug, code) if drug else Substance(f"RxNorm {code}", rxnorm=frozenset({code}), is_known=False)
    if coding.system == ATC:
        current = terminology.atc_aliases.get(code, code)
        known = terminology.drugs_by_atc.get(current)
        if known is None:
            return Substance(f"ATC {current}", atc=(current,), is_known=_ATC.fullmatch(current) is not None)
        # The code says more than the ingredient does: aspirin for pain is not aspirin against clotting.
        rxnorm = frozenset({known.rxnorm} if known.agent and known.rxnorm else ())
        return Substance(known.agent or known.name, known.agent, (current,), rxnorm)
    if coding.system == SNOMED:
        return Substance(f"SNOMED CT {code}", snomed=code, is_known=code in terminology.substances)
    named = terminology.drugs_by_name.get(code) if coding.system is None else None
    if named is not None:
        return _of_drug(named, None)
    return Substance(code, is_known=coding.system is None and slug(code) in terminology.partners)


def named_substance(code: str, terminology: Terminology) -> Substance:
    """Return a drug named by an RxNorm ingredient, an ATC code, or the name of what a row is about."""
    if code.isdigit():
        return substance(Coding(code, RXNORM), terminology)
    is_atc = len(code) > 2 and code[0].isalpha() and code[0].isupper() and code[1:3].isdigit()
    return taken(Coding(code, ATC if is_atc else None), terminology)


def _of_drug(drug: Drug, code: str | None) -> Substance:
    codes = frozenset(item for item in (drug.rxnorm, code) if item)
    return Substance(drug.agent or drug.name, drug.agent, drug.atc, codes)


def belongs(given: Substance, group: DrugGroup, except_atc: tuple[str, ...] = ()) -> int:
    """Return how specifically a substance belongs to a group: 0 not at all, else higher for the closer match.

    An id or RxNorm ingredient beats an ATC code; of ATC prefixes the longest wins.
    """
    if given.is_nameless or (except_atc and any(code.startswith(except_atc) for code in given.atc)):
        return 0
    if given.agent is not None and given.agent in group.agents:
        return 100
    if given.rxnorm & group.rxnorm or (given.snomed is not None and given.snomed in group.snomed):
        return 90
    prefixes = [len(prefix) for prefix in group.atc for code in given.atc if code.startswith(prefix)]
    if prefixes:
        return max(prefixes)
    has_codes = given.atc or given.rxnorm or given.snomed or given.agent
    return 0 if has_codes or slug(given.name) != slug(group.name) else 80


def _latest(
    observations: tuple[Observation, ...], terminology: Terminology
) -> tuple[Mapping[str, Result], tuple[str, ...]]:
    """Return the latest result of each analyte, and the places of those that cannot be read.

    One that cannot be read has nothing older speak for it: what was measured since is not known.
    """
    found: dict[str, Result] = {}
    unknown_since: dict[str, date] = {}
    unreadable = []
    for index, observation in enumerate(observations):
        path = f"patient.observations[{index}]"
        analyte = terminology.analytes.get(terminology.analyte_of_loinc.get(observation.code, ""))
        base = in_base_of_code(observation, analyte) if analyte else None
        if analyte is None or base is None:
            unreadable.append(path)
            if analyte is not None and observation.measured_on is not None:
                unknown_since[analyte.id] = max(observation.measured_on, unknown_since.get(analyte.id, date.min))
            continue
        known = found.get(analyte.id)
        if known is None or _is_later(observation, known.observation):
            found[analyte.id] = Result(path, base, observation)
    current = {id_: item for id_, item in found.items() if not _is_before(item, unknown_since.get(id_))}
    return current, tuple(unreadable)


def _is_before(result: Result, day: date | None) -> bool:
    measured_on = result.observation.measured_on
    return day is not None and measured_on is not None and measured_on < day


def in_base_of_code(observation: Observation, analyte: Analyte) -> Decimal | None:
    """Return a result in the base unit of its analyte; ``None`` where its unit is no unit of the code.

    A unit may belong to another code of the analyte (umol/L to creatinine by mass): one of the two is wrong, and which
    is not known.
    """
    kind = dimension(observation.unit)
    own = dimension(analyte.units[observation.code])
    if kind != own and kind in {dimension(unit) for unit in analyte.units.values()}:
        return None
    return in_base(observation.value, observation.unit, analyte)


def _is_later(one: Observation, other: Observation) -> bool:
    """Tell whether ``one`` replaces ``other``: a dated result beats an undated one, a later one an earlier; else
    the last.
    """
    if one.measured_on is None or other.measured_on is None:
        return other.measured_on is None
    return one.measured_on >= other.measured_on
