"""The use cases. Each takes a request and the knowledge base and returns an answer; it knows neither HTTP nor files."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from msgspec import structs

from dosing_service.errors import UnknownId
from dosing_service.knowledge.base import Agent, KnowledgeBase, Reference, agent_names
from dosing_service.knowledge.safety import Interaction
from dosing_service.model import Assessment, DoseRequest, OrderCheck, OrderRequest, TreatmentOptions, TreatmentRequest
from dosing_service.rules import body, order_check, pathway
from dosing_service.rules.assessment import assess
from dosing_service.rules.facts import belongs, named_substance
from dosing_service.rules.interactions import as_substance

_T = TypeVar("_T")

NOTICE = "Decision support for professionals, not clinically approved. Verify every dose against primary sources."


def calculate_dose(request: DoseRequest, knowledge: KnowledgeBase) -> Assessment:
    """Return the dose of one agent for one patient, every other regimen that applies, and what must be known of both.

    Raises:
        UnknownId: the agent is not in the knowledge base.
        InvalidRequest: the regimen or an option does not fit, or an input is missing without which the chosen regimen
            cannot be computed.
    """
    assessment = assess(request, find_agent(request.agent, knowledge), knowledge)
    measures = body.measures(request.patient, request.options.body_surface_area_formula)
    return structs.replace(assessment, body_measures=measures)


def check_orders(request: OrderRequest, knowledge: KnowledgeBase) -> OrderCheck:
    """Return the judgement of proposed orders by the regimens that would compute them.

    Raises:
        InvalidRequest: an order names an agent, regimen or product that does not exist.
    """
    return order_check.check(request, knowledge)


def treatment_options(request: TreatmentRequest, knowledge: KnowledgeBase) -> TreatmentOptions:
    """Return the options that the sources name for a presentation, each judged for this patient."""
    return pathway.options(request, knowledge.pathway, knowledge)


def find_agent(id_: str, knowledge: KnowledgeBase) -> Agent:
    """Return the agent with this id.

    Raises:
        UnknownId: there is none; the error carries the nearest ids.
    """
    return _find("agent", id_, knowledge.agents, agent_names(knowledge))


def find_reference(id_: str, knowledge: KnowledgeBase) -> Reference:
    """Return the citation with this id.

    Raises:
        UnknownId: there is none; the error carries the nearest ids.
    """
    return _find("reference", id_, knowledge.references, {known: known for known in knowledge.references})


def interactions(knowledge: KnowledgeBase, agent: str | None, partner: str | None) -> list[Interaction]:
    """Return the interaction rows about ``agent`` (all, if none is given) that also concern ``partner``.

    ``partner`` is an agent id, the name of what a row is about, an ATC code or an RxNorm ingredient.

    Raises:
        UnknownId: the agent is not in the knowledge base, or nothing here knows the partner: an empty answer would read
            as "no interaction".
    """
    if agent is not None:
        find_agent(agent, knowledge)
    if partner is not None and partner not in knowledge.agents:
        _find_partner(partner, knowledge)
    rows = knowledge.interactions.values() if agent is None else knowledge.interactions_of.get(agent, ())
    return [row for row in rows if partner is None or _concerns(row, partner, knowledge)]


def _concerns(row: Interaction, partner: str, knowledge: KnowledgeBase) -> bool:
    known = knowledge.agents.get(partner)
    given = as_substance(known) if known else named_substance(partner, knowledge.terminology)
    in_agents = given.agent is not None and given.agent in row.agents
    return in_agents or belongs(given, row.partner, row.except_atc) > 0


def _find_partner(code: str, knowledge: KnowledgeBase) -> None:
    given = named_substance(code, knowledge.terminology)
    if not code.strip() or not (given.is_known or given.atc):
        names = {*knowledge.terminology.drugs_by_name, *knowledge.terminology.partners}
        raise UnknownId("partner", tuple(get_close_matches(code.lower(), sorted(names), n=3)))


def _find(kind: str, id_: str, known: Mapping[str, _T], names: Mapping[str, str]) -> _T:
    if id_ in known:
        return known[id_]
    close = get_close_matches(id_.lower(), names, n=3)
    raise UnknownId(kind, tuple(dict.fromkeys(names[name] for name in close)))
