"""Answers predicates with yes, no or unknown, and says which inputs decided and which would settle it."""

from collections.abc import Callable
from decimal import Decimal

from dosing_service.knowledge import safety
from dosing_service.model import Dose, Patient, Per, Sex, Value
from dosing_service.rules import renal
from dosing_service.rules.facts import Entry, Facts, belongs
from dosing_service.rules.population import AGE, HEIGHT, SEX, WEIGHT, Answer, in_age_range, in_range
from dosing_service.rules.wording import age_text
from dosing_service.units import display, over, times

_TO_MG = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001"), "ng": Decimal("0.000001")}
_WORDS = {"crcl": "creatinine clearance", "egfr": "eGFR"}
#: The kinds of amounts that follow from each other once it is known how often a day.
_DIVIDED = {Per.DAY, Per.ADMINISTRATION}
_CREATININE = "patient.observations[2160-0]"
_MEASURED = {"crcl": "patient.observations[2164-2]", "egfr": "patient.observations[98979-8]"}
_UNITS = {"crcl": "mL/min", "egfr": "mL/min/1.73 m²"}


class Context(Value, frozen=True):
    """What predicates are asked about: the patient, and the regimen and dose they are asked for (if any)."""

    facts: Facts
    route: str | None
    regimen: str | None
    dose: Dose | None


class Evaluation(Value, frozen=True):
    """An answer; ``because`` names the inputs that decided it, ``needs`` those that would settle an unknown.

    ``numbers`` are this patient's figures in words, for the finding's summary.
    """

    answer: Answer
    because: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


_YES = Evaluation(Answer.YES)
_NO_CONDITIONS = Evaluation(Answer.UNKNOWN, needs=("patient.conditions",))
_NOT_DIAGNOSED = Evaluation(Answer.NO, ("patient.conditions",))


def evaluate(predicate: safety.Predicate, context: Context) -> Evaluation:
    """Return the answer to ``predicate``. Unknown is not no: nothing is assumed about what was not given."""
    return _EVALUATORS[type(predicate)](predicate, context)


def _unknown(*needs: str) -> Evaluation:
    return Evaluation(Answer.UNKNOWN, needs=needs)


def _answer(holds: Answer, path: str, number: str | None = None) -> Evaluation:
    if holds is Answer.UNKNOWN:
        return _unknown(path)
    return Evaluation(holds, (path,), (), (number,) if number and holds is Answer.YES else ())


def _of(holds: bool) -> Answer:  # noqa: FBT001 - turns a truth value into an answer
    return Answer.YES if holds else Answer.NO


def _always(_: safety.Always, __: Context) -> Evaluation:
    return _YES


def _condition(predicate: safety.HasCondition, context: Context) -> Evaluation:
    diagnoses, id_ = context.facts.diagnoses, predicate.condition
    if diagnoses is None:
        return _NO_CONDITIONS
    paths = diagnoses.listed.get(id_)
    if paths:
        return Evaluation(Answer.YES, paths)
    if diagnoses.leaves_open(id_, context.facts.terminology.conditions[id_]):
        return _unknown(f"patient.conditions[{id_}]")
    return _NOT_DIAGNOSED


def _observation(predicate: safety.ObservationIn, context: Context) -> Evaluation:
    result = context.facts.results.get(predicate.analyte)
    if result is None:
        code = next(iter(context.facts.terminology.analytes[predicate.analyte].units))
        return _unknown(f"patient.observations[{code}]")
    name = context.facts.terminology.analytes[predicate.analyte].name
    number = f"{name} {display(result.observation.value)} {result.observation.unit.strip('{}')}"
    return _answer(_of(predicate.range.contains(result.base)), result.path, number)


def _clearance(predicate: safety.ClearanceIn, context: Context) -> Evaluation:
    found = context.facts.clearance(predicate.kind)
    if found is None:
        needs = _clearance_needs(predicate.kind, context.facts)
        return Evaluation(Answer.UNKNOWN, needs=needs, numbers=_other_clearance(predicate.kind, context.facts))
    number = f"{_WORDS[predicate.kind]} {display(found.value)} {_UNITS[predicate.kind]}, {found.method}"
    holds = _of(predicate.range.contains(found.value))
    return Evaluation(holds, found.because, (), (number,) if holds is Answer.YES else ())


def _other_clearance(kind: str, facts: Facts) -> tuple[str, ...]:
    """Return the other measure of renal function in words: it does not answer the question, but a reader must see
    it.
    """
    other = "egfr" if kind == "crcl" else "crcl"
    found = facts.clearance(other)
    if found is None:
        return ()
    return (f"{_WORDS[other]} is {display(found.value)} {_UNITS[other]}, but the rule counts {_WORDS[kind]}",)


def _clearance_needs(kind: str, facts: Facts) -> tuple[str, ...]:
    """Return what a formula lacks; where no formula is for this patient, the measured value."""
    patient = facts.patient
    by_formula = _formula_inputs(kind, patient)
    given = {AGE: patient.age, SEX: patient.sex, WEIGHT: patient.weight, HEIGHT: patient.height_cm}
    missing = tuple(path for path in by_formula if not given[path])
    if by_formula and "creatinine" not in facts.results:
        missing = (_CREATININE, *missing)
    return missing or (_MEASURED[kind],)


def _formula_inputs(kind: str, patient: Patient) -> tuple[str, ...]:
    """Return the inputs beside creatinine of the formulas that may be this patient's; none, if none is."""
    years = patient.age.years if patient.age else None
    is_child = years is not None and years < renal.ADULT_YEARS
    if kind == "egfr" and is_child:
        return () if years is not None and years < renal.SCHWARTZ_FROM_YEARS else (AGE, HEIGHT)
    if is_child or patient.sex is Sex.OTHER:
        return ()
    if kind == "crcl":
        return (AGE, SEX, WEIGHT)
    return (AGE, SEX, HEIGHT) if years is None else (AGE, SEX)


def _age(predicate: safety.AgeIn, context: Context) -> Evaluation:
    age = context.facts.patient.age
    number = f"age {age_text(age)}" if age else None
    return _answer(in_age_range(predicate.range, age), AGE, number)


def _weight(predicate: safety.WeightIn, context: Context) -> Evaluation:
    weight = context.facts.patient.weight
    number = f"weight {display(weight.kg)} kg" if weight else None
    return _answer(in_range(predicate.range, weight.kg if weight else None), WEIGHT, number)


def _sex(predicate: safety.SexIs, context: Context) -> Evaluation:
    sex = context.facts.patient.sex
    return _unknown("patient.sex") if sex is None else _answer(_of(sex is predicate.sex), "patient.sex")


def _state(predicate: safety.StateIs, context: Context) -> Evaluation:
    """Pregnancy and lactation: what was said counts; a man is neither."""
    path = f"patient.{predicate.field}"
    given = getattr(context.facts.patient, predicate.field)
    if given is None and context.facts.patient.sex == "male":
        return _answer(_of(not predicate.value), "patient.sex")
    return _unknown(path) if given is None else _answer(_of(given is predicate.value), path)


def _allergy(predicate: safety.AllergicTo, context: Context) -> Evaluation:
    return _drugs(predicate.group, context.facts.allergies, "patient.allergies")


def _takes(predicate: safety.Takes, context: Context) -> Evaluation:
    facts = context.facts
    if facts.medications is None and not any(belongs(entry.substance, predicate.group) for entry in facts.ordered):
        return _unknown("patient.medications")
    return _drugs(predicate.group, facts.drugs, "patient.medications")


def _drugs(group: safety.DrugGroup, entries: tuple[Entry, ...] | None, path: str) -> Evaluation:
    if entries is None:
        return _unknown(path)
    hits = [entry for entry in entries if belongs(entry.substance, group)]
    if not hits:
        return Evaluation(Answer.NO, (path,))
    names = tuple([entry.substance.name for entry in hits])
    return Evaluation(Answer.YES, tuple([entry.path for entry in hits]), (), names)


def _route(predicate: safety.RouteIs, context: Context) -> Evaluation:
    if context.route is None:
        return _unknown("regimen")
    return _answer(_of(context.route == predicate.route), "regimen")


def _regimen(predicate: safety.RegimenIs, context: Context) -> Evaluation:
    if context.regimen is None:
        return _unknown("regimen")
    return _answer(_of(context.regimen in predicate.regimens), "regimen")


def _dose(predicate: safety.DoseIn, context: Context) -> Evaluation:
    """Compare the upper end of the computed amount of the predicate's kind, in milligrams, per kg where asked."""
    amounts = context.dose.amounts if context.dose else ()
    amount = next((item for item in amounts if item.per is predicate.per), None)
    if amount is None or amount.unit not in _TO_MG:
        is_divisible = context.dose is not None and predicate.per in _DIVIDED
        return _unknown("options.times_per_day" if is_divisible else "regimen")
    value = times(amount.high, _TO_MG[amount.unit])
    if predicate.per_kg:
        weight = context.facts.patient.weight
        if weight is None:
            return _unknown(WEIGHT)
        value = over(value, weight.kg)
    return _answer(_of(predicate.range.contains(value)), "regimen", amount.text)


def _all(predicate: safety.AllOf, context: Context) -> Evaluation:
    """Answer for every part; the first no settles it."""
    parts = []
    for part in predicate.parts:
        evaluation = evaluate(part, context)
        if evaluation.answer is Answer.NO:
            return evaluation
        parts.append(evaluation)
    return _combined(parts, (Answer.UNKNOWN, Answer.YES))


def _any(predicate: safety.AnyOf, context: Context) -> Evaluation:
    parts = [evaluate(part, context) for part in predicate.parts]
    return _combined(parts, (Answer.YES, Answer.UNKNOWN, Answer.NO))


def _combined(parts: list[Evaluation], precedence: tuple[Answer, ...]) -> Evaluation:
    """Return the answer that decides, with the inputs of the parts that gave it (all parts, if all agree)."""
    answer = next(wanted for wanted in precedence if any(part.answer is wanted for part in parts))
    deciding = [part for part in parts if part.answer is answer]
    numbers = tuple(dict.fromkeys([text for part in deciding for text in part.numbers]))
    if answer is Answer.UNKNOWN:
        needs = tuple(dict.fromkeys([path for part in deciding for path in part.needs]))
        return Evaluation(answer, needs=needs, numbers=numbers)
    return Evaluation(answer, tuple(dict.fromkeys([path for part in deciding for path in part.because])), (), numbers)


def _not(predicate: safety.Not, context: Context) -> Evaluation:
    inner = evaluate(predicate.part, context)
    if inner.answer is Answer.UNKNOWN:
        return inner
    return Evaluation(Answer.NO if inner.answer is Answer.YES else Answer.YES, inner.because)


_EVALUATORS: dict[type[safety.Predicate], Callable[..., Evaluation]] = {
    safety.Always: _always,
    safety.HasCondition: _condition,
    safety.ObservationIn: _observation,
    safety.ClearanceIn: _clearance,
    safety.AgeIn: _age,
    safety.WeightIn: _weight,
    safety.SexIs: _sex,
    safety.StateIs: _state,
    safety.AllergicTo: _allergy,
    safety.Takes: _takes,
    safety.RouteIs: _route,
    safety.RegimenIs: _regimen,
    safety.DoseIn: _dose,
    safety.AllOf: _all,
    safety.AnyOf: _any,
    safety.Not: _not,
}
