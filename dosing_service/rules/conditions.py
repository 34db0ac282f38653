"""Answers predicates with yes, no or unknown, and says which inputs decided and which would settle it."""

from collections.abc import Callable
from decimal import Decimal

from msgspec.structs import replace

from dosing_service.knowledge import safety
from dosing_service.model import Dose, Per, Value
from dosing_service.rules import calcium
from dosing_service.rules.facts import Entry, Facts, Result, belongs
from dosing_service.rules.population import AGE, WEIGHT, Answer, in_age_range, in_range
from dosing_service.rules.wording import age_text
from dosing_service.units import MG_IN, display, minus, over, times

_WORDS = {"crcl": "creatinine clearance", "egfr": "eGFR"}
#: The kinds of amounts that follow from each other once it is known how often a day.
_DIVIDED = {Per.DAY, Per.ADMINISTRATION}
_BOUNDS = {"<": "below", "<=": "at most", ">=": "at least", ">": "above"}
_CALCIUM = "patient.observations[17861-6]"
_ALBUMIN = "patient.observations[1751-7]"
_UNITS = {"crcl": "mL/min", "egfr": "mL/min/1.73 m²"}


class Context(Value, frozen=True):
    """What predicates are asked about: the patient, and the regimen, dose and product strength (mg/mL) they are asked
    for (if any).
    """

    facts: Facts
    route: str | None
    regimen: str | None
    dose: Dose | None
    strength: Decimal | None = None


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
    found: Evaluation = _EVALUATORS[type(predicate)](predicate, context)
    is_measured = isinstance(predicate, safety.ObservationIn | safety.ClearanceIn)
    return _of_its_day(found, context.facts) if is_measured else found


def _of_its_day(found: Evaluation, facts: Facts) -> Evaluation:
    """Return what results come to that may be too old: they still warn, with their day, and they rule nothing out."""
    old = facts.too_old(found.because)
    if not old:
        return found
    days = " and ".join(dict.fromkeys(str(item.measured_on) for item in old))
    if found.answer is Answer.YES:
        return replace(found, numbers=(*found.numbers, f"measured on {days}"))
    needs = tuple(dict.fromkeys(f"patient.observations[{item.code}]" for item in old))
    return Evaluation(Answer.UNKNOWN, needs=needs, numbers=(f"the result of {days} is too old to rule it out",))


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
    facts = context.facts
    result = facts.results.get(predicate.analyte) or facts.bounds.get(predicate.analyte)
    holds = result.is_in(predicate.range) if result is not None else None
    if result is None or holds is None:
        return _unknown(f"patient.observations[{next(iter(facts.terminology.analytes[predicate.analyte].units))}]")
    return _answer(_of(holds), result.path, result_text(result, facts))


def _value(result: Result) -> str:
    """Return the figure of a result as it was sent, a bound in words: ``below 15``."""
    shown, bound = display(result.observation.value), result.observation.bound
    return f"{_BOUNDS[bound]} {shown}" if bound else shown


def result_text(result: Result, facts: Facts) -> str:
    """Return a result as it was sent: ``creatinine in serum or plasma 1.6 mg/dL``."""
    analyte = facts.terminology.analytes[facts.terminology.analyte_of_loinc[result.observation.code]]
    unit = result.observation.unit.strip("{}")
    return f"{analyte.name} {_value(result)} {unit}".removesuffix(f" {analyte.name}")


def _rise(predicate: safety.RiseIn, context: Context) -> Evaluation:
    """Compare the latest result with the baseline; no baseline, no answer."""
    facts = context.facts
    latest, baseline = facts.results.get(predicate.analyte), facts.baseline(predicate.analyte)
    if latest is None or baseline is None:
        code = next(iter(facts.terminology.analytes[predicate.analyte].units))
        path = f"patient.observations[{code}]"
        return _unknown(path if latest is None else f"{path}.earlier")
    rise = minus(latest.base, baseline.base)
    if not (predicate.baseline.contains(baseline.base) and predicate.range.contains(rise)):
        return Evaluation(Answer.NO, (baseline.path, latest.path))
    dated = [f"{result_text(item, facts)} on {item.observation.measured_on}" for item in (baseline, latest)]
    return Evaluation(Answer.YES, (baseline.path, latest.path), (), tuple(dated))


def _corrected_calcium(predicate: safety.CorrectedCalciumIn, context: Context) -> Evaluation:
    """Compare the corrected figure. A total outside the range answers no by itself: albumin above 4 g/dL would make a
    low calcium of a normal one, and the formula is not sure enough for that.
    """
    found, total = calcium.corrected(context.facts), context.facts.results.get(calcium.TOTAL)
    if found is None or not found.is_reported:
        if total is None:
            return _unknown(_CALCIUM)
        if not predicate.range.contains(total.base):
            return Evaluation(Answer.NO, (total.path,))
    if found is None:
        return _unknown(_ALBUMIN)
    holds = _of(predicate.range.contains(found.value))
    return Evaluation(holds, found.because, (), (found.working,) if holds is Answer.YES else ())


def _calcium_is_corrected(_: safety.CalciumIsCorrected, context: Context) -> Evaluation:
    found = calcium.corrected(context.facts)
    return Evaluation(_of(found is not None), found.because if found else ())


def _clearance(predicate: safety.ClearanceIn, context: Context) -> Evaluation:
    bound = context.facts.bounds.get(predicate.kind)
    decided = bound.is_in(predicate.range) if bound is not None else None
    if bound is not None and decided is not None:
        return _answer(
            _of(decided), bound.path, f"{_WORDS[predicate.kind]} {_value(bound)} {_UNITS[predicate.kind]}, as reported"
        )
    found = context.facts.clearance(predicate.kind)
    if found is None:
        needs = context.facts.clearance_needs(predicate.kind)
        return Evaluation(Answer.UNKNOWN, needs=needs, numbers=_other_clearance(predicate.kind, context.facts))
    number = f"{_WORDS[predicate.kind]} {display(found.value)} {_UNITS[predicate.kind]}, {found.method}"
    holds = _of(predicate.range.contains(found.value))
    return Evaluation(holds, found.because, (), (number,) if holds is Answer.YES else ())


def _other_clearance(kind: str, facts: Facts) -> tuple[str, ...]:
    """Return the other measure of renal function in words: it does not answer the question, but a reader must see
    it.
    """
    other = "egfr" if kind == "crcl" else "crcl"
    found, bound = facts.clearance(other), facts.bounds.get(other)
    value = display(found.value) if found is not None else _value(bound) if bound is not None else None
    return (f"{_WORDS[other]} is {value} {_UNITS[other]}, but the rule counts {_WORDS[kind]}",) if value else ()


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
    """Pregnancy and lactation: what was said counts, then a diagnosis; a man of whom nothing is said is neither."""
    given, because = context.facts.state(predicate.field)
    if given is not None:
        return Evaluation(_of(given is predicate.value), because)
    if context.facts.patient.sex == "male":
        return _answer(_of(not predicate.value), "patient.sex")
    return _unknown(f"patient.{predicate.field}")


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
    if amount is None or amount.unit not in MG_IN:
        is_divisible = context.dose is not None and predicate.per in _DIVIDED
        return _unknown("options.times_per_day" if is_divisible else "regimen")
    value = times(amount.high, MG_IN[amount.unit])
    if predicate.per_kg:
        weight = context.facts.patient.weight
        if weight is None:
            return _unknown(WEIGHT)
        value = over(value, weight.kg)
    return _answer(_of(predicate.range.contains(value)), "regimen", amount.text)


def _strength(predicate: safety.StrengthIn, context: Context) -> Evaluation:
    number = f"{display(context.strength)} mg/mL" if context.strength is not None else None
    return _answer(in_range(predicate.range, context.strength), "options.product", number)


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
    safety.RiseIn: _rise,
    safety.CorrectedCalciumIn: _corrected_calcium,
    safety.CalciumIsCorrected: _calcium_is_corrected,
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
    safety.StrengthIn: _strength,
    safety.AllOf: _all,
    safety.AnyOf: _any,
    safety.Not: _not,
}
