"""Ways of giving a drug that no source seen so far describes, and that a later one may: none is dated by guessing."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace as changed

from dosing_service.knowledge.base import Agent, Course, Frequency, KnowledgeBase, Regimen
from dosing_service.model import Dose, Options, Patient, Per, Weight
from dosing_service.rules import infusion
from dosing_service.rules.administrations import Schedule, Wish, dated
from dosing_service.rules.conditions import Context
from dosing_service.rules.cumulative import checks
from dosing_service.rules.dose import Computed, compute
from dosing_service.rules.facts import Facts

ADULT = Patient(weight=Weight(Decimal(70), Decimal(70), "kg"))
START = date(2026, 12, 1)
NO_COURSE = Course(None, None, None, None, None, None, None, None, None, None, None)
WEEKLY, EVERY_48_HOURS = Frequency(1, 1, 1, 1, "wk", "once weekly"), Frequency(1, 1, 48, 48, "h", "every 48 hours")


def regimen_of(knowledge: KnowledgeBase, agent: str, id_: str) -> Regimen:
    """Return a regimen of the shipped knowledge."""
    return knowledge.agents[agent].regimens[id_]


def dose_of(regimen: Regimen) -> Dose:
    """Return its dose for an adult of 70 kg."""
    computed = compute(regimen, ADULT, Options(volume_ml=Decimal(1)))
    assert isinstance(computed, Computed)
    return computed.dose


def schedule_of(regimen: Regimen, **wishes: int) -> Schedule:
    """Return its schedule; nothing follows it."""
    return dated(regimen, dose_of(regimen), Wish(START, **wishes), lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("course", "frequency", "why"),
    [
        (None, EVERY_48_HOURS, "hours are no days"),
        (replace(NO_COURSE, length=Decimal(3), length_high=Decimal(3), length_unit="mo"), WEEKLY, "weeks in months"),
        (replace(NO_COURSE, administrations_low=3, administrations_high=4), WEEKLY, "3 or 4 administrations"),
    ],
)
def test_what_cannot_be_dated_is_said(
    knowledge: KnowledgeBase, course: Course | None, frequency: Frequency, why: str
) -> None:
    """No date, and an entry that says why."""
    known = regimen_of(knowledge, "ceftriaxone", "series-plaque-morphea")
    schedule = schedule_of(replace(known, course=course, frequency=frequency))

    assert (schedule.entries, [item.check for item in schedule.not_checked]) == (None, ["schedule"]), why


def test_amount_per_week_without_a_frequency_is_not_dated(knowledge: KnowledgeBase) -> None:
    """A weekly amount does not say on how many days it is given."""
    known = replace(regimen_of(knowledge, "alendronate", "calcinosis-overview"), frequency=None)
    assert schedule_of(known).entries is None


def test_amount_per_month_at_another_interval_is_not_dated(knowledge: KnowledgeBase) -> None:
    """A monthly amount given every 2 weeks leaves open what is given each time."""
    every = Frequency(1, 1, 2, 2, "wk", "every 2 weeks")
    known = replace(regimen_of(knowledge, "pamidronate", "calcinosis-monthly-series"), frequency=every)
    assert schedule_of(known).entries is None


def test_given_days_alone_end(knowledge: KnowledgeBase) -> None:
    """Without an interval after them, the given days are the whole treatment."""
    days = Frequency(1, 1, 1, 1, "wk", "in weeks 0 and 2", (0, 14), goes_on=False)
    schedule = schedule_of(replace(regimen_of(knowledge, "abatacept", "adult-calcinosis-series"), frequency=days))

    assert [entry.on for entry in schedule.entries or ()] == [START, date(2026, 12, 15)]
    assert schedule.summary is not None
    assert schedule.summary.complete


def test_no_more_courses_than_the_source_gives(knowledge: KnowledgeBase) -> None:
    """Two first days are two courses; a third is not made up, and the answer says that it is missing."""
    starts = Frequency(1, 1, 1, 1, "d", "on days 0 and 14", (0, 14), goes_on=False)
    known = regimen_of(knowledge, "ivig", "consensus-juvenile-dermatomyositis")
    schedule = schedule_of(replace(known, course=replace(NO_COURSE, starts=starts)), courses=3)

    assert len(schedule.entries or ()) == 2
    assert schedule.summary is not None
    assert (schedule.summary.complete, schedule.summary.why) == (False, "the source gives no later course")


def test_times_a_day_in_a_range_have_no_count(knowledge: KnowledgeBase) -> None:
    """2 to 3 times daily for 6 to 12 weeks: the days are known, the number of doses is not."""
    weeks = replace(NO_COURSE, length=Decimal(6), length_high=Decimal(12), length_unit="wk")
    known = replace(regimen_of(knowledge, "colchicine", "calcinosis-universalis-reports"), course=weeks)
    schedule = schedule_of(known)

    ((entry,), summary) = schedule.entries or (), schedule.summary
    assert (entry.until, entry.until_latest, entry.count) == (date(2027, 1, 11), date(2027, 2, 22), None)
    assert summary is not None
    assert summary.total is None


def test_rest_of_several_doses_a_day(knowledge: KnowledgeBase) -> None:
    """Of 14 doses of 250 mg, 1,000 mg are given: ten are left, five days of two."""
    known = replace(regimen_of(knowledge, "probenecid", "label-gout-start"), followed_by=None)
    schedule = dated(known, dose_of(known), Wish(START, given=Decimal(1000)), lambda _: None)

    assert [(entry.on.day, entry.count) for entry in schedule.entries or ()] == [(day, 2) for day in range(1, 6)]


def test_rest_of_a_long_phase_is_a_shorter_phase(knowledge: KnowledgeBase) -> None:
    """Of 70 days of 700 mg, 7,100 mg are given: 59 days are left, and 600 mg on the day after."""
    known = regimen_of(knowledge, "etidronate", "label-ossification-cord-maintenance")
    schedule = dated(known, dose_of(known), Wish(START, given=Decimal(7100)), lambda _: None)

    phase, rest = schedule.entries or ()
    assert (phase.on, phase.until, phase.count) == (START, date(2027, 1, 28), 59)
    assert (rest.on, rest.until, rest.amount.value) == (date(2027, 1, 29), date(2027, 1, 29), Decimal(600))


def test_dose_of_nothing_never_reaches_a_total(knowledge: KnowledgeBase) -> None:
    """At 0 mg daily a total is never reached, and nothing is divided by 0."""
    dose = dose_of(regimen_of(knowledge, "minocycline", "calcinosis-overview"))
    (daily,) = [item for item in dose.amounts if item.per is Per.DAY]
    nothing = changed(daily, low=Decimal(0), high=Decimal(0))
    (check,) = checks(changed(dose, amounts=(nothing,)), None, START)
    assert (check.days_low, check.days_high, check.reached_on) == (None, None, None)
    assert check.text == "70,000 mg in all, if none was given before"


def planned(
    agent: Agent, regimen: Regimen, patient: Patient, knowledge: KnowledgeBase
) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is not known of an infusion of 140 g, whoever gets it."""
    context = Context(
        Facts(patient, knowledge.terminology), "intravenous", regimen.id, changed(dose_of(regimen), dosing_weight=None)
    )
    answer, open_points = infusion.plan(agent, regimen, context)
    assert answer is not None
    assert answer.maxima[0].ml_per_hour is None
    return [(item.check, item.needs) for item in open_points]


def test_rate_per_kg_asks_for_the_weight(knowledge: KnowledgeBase) -> None:
    """A rate per kg for a fixed dose and an unknown weight is not worked out."""
    agent = knowledge.agents["ivig"]
    found = planned(agent, agent.regimens["label-dermatomyositis"], Patient(conditions=()), knowledge)
    assert ("infusion-rate", ("patient.weight",)) in found


def test_rate_of_a_mass_without_a_strength_has_no_flow(knowledge: KnowledgeBase) -> None:
    """Iloprost with no dilution documented: nanograms a minute are known, mL/h are not, and no volume follows."""
    agent = knowledge.agents["iloprost"]
    known = agent.regimens["label-raynaud-ischaemia"]
    assert known.infusion is not None
    undiluted = replace(known, infusion=replace(known.infusion, dilution=None))
    context = Context(Facts(ADULT, knowledge.terminology), "intravenous", known.id, dose_of(undiluted))
    answer, _ = infusion.plan(agent, undiluted, context)
    assert answer is not None
    assert (answer.rate, answer.volumes, answer.concentration) == (None, (), None)
    assert answer.maxima[0].text == "at most 2 nanograms/kg/minute"
