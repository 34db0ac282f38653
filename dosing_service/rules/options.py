"""Whether what the caller wishes fits the regimen. What does not fit is refused: it would silently change the dose."""

from decimal import Decimal

from dosing_service.errors import InvalidRequest, Problem
from dosing_service.knowledge.base import Agent, Product, Regimen
from dosing_service.model import Options, Per
from dosing_service.rules.schedule import may_divide_daily


def strength_of(product: Product | None) -> Decimal | None:
    """Return how many mg are in 1 mL of a liquid product."""
    is_liquid = product is not None and product.strength_unit.code == "mg/mL"
    return product.strength if product is not None and is_liquid else None


def chosen_product(agent: Agent, options: Options) -> Product | None:
    """Return the product that was asked for.

    Raises:
        InvalidRequest: the agent has no such product.
    """
    if options.product is None:
        return None
    if options.product not in agent.products:
        accepted = ", ".join(agent.products) or "none: no product of this agent is in the knowledge base"
        detail = "no product of this agent has this id"
        raise InvalidRequest(Problem("/options/product", "unknown-product", detail, accepted))
    return agent.products[options.product]


def fit(options: Options, regimen: Regimen, product: Product | None) -> None:
    """Check the caller's wishes against the regimen.

    Raises:
        InvalidRequest: the product is for another route or has another formulation, or the division is not one that the
            source allows.
    """
    _check_product(regimen, product)
    _check_times_per_day(regimen, options.times_per_day)
    _check_days(regimen, options.divided_over_days)
    _check_dates(regimen, options)


def _check_product(regimen: Regimen, product: Product | None) -> None:
    if product is None:
        return
    if regimen.route not in product.routes:
        detail = "this product is not for the route of the regimen"
        expected = f"a product that is given by the route {regimen.route}"
        raise InvalidRequest(Problem("/options/product", "other-route", detail, expected))
    if regimen.formulation in {None, product.formulation}:
        return
    detail = "the regimen is documented for another formulation than that of this product"
    expected = f"a product of the formulation {regimen.formulation}"
    raise InvalidRequest(Problem("/options/product", "other-formulation", detail, expected))


def _check_times_per_day(regimen: Regimen, times: int | None) -> None:
    if times is None or may_divide_daily(regimen, times):
        return
    documented = regimen.frequency.text if regimen.frequency else f"an amount per {regimen.per.value}"
    detail = "this regimen cannot be given so many times a day without changing its total"
    expected = f"leave it out; documented is {documented}"
    raise InvalidRequest(Problem("/options/times_per_day", "frequency-not-documented", detail, expected))


def _check_days(regimen: Regimen, days: int | None) -> None:
    if days is None:
        return
    pointer, course = "/options/divided_over_days", regimen.course
    if regimen.per is not Per.COURSE or course is None or course.days_low is None or course.days_high is None:
        detail = "this regimen is not a course total that is divided over days"
        raise InvalidRequest(Problem(pointer, "not-divisible", detail, "leave it out"))
    if not course.days_low <= days <= course.days_high:
        expected = f"a whole number from {course.days_low} to {course.days_high}"
        raise InvalidRequest(Problem(pointer, "not-documented", "this division is not documented", expected))


def _check_dates(regimen: Regimen, options: Options) -> None:
    """Refuse an end before the start, and further courses where nothing says when the next begins."""
    start, until, course = options.start_date, options.schedule_until, regimen.course
    if start is not None and until is not None and until < start:
        detail = "the schedule would end before it starts"
        raise InvalidRequest(Problem("/options/schedule_until", "before-start", detail, "a day from start_date on"))
    repeats = course is not None and (course.repeat_low is not None or course.starts is not None)
    if options.courses is not None and options.courses > 1 and not repeats:
        detail = "the source does not say when a further course of this regimen begins"
        raise InvalidRequest(Problem("/options/courses", "not-repeatable", detail, "leave it out, or 1"))
