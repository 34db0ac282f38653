"""The use cases. Each takes a request and the knowledge base and returns an answer; it knows neither HTTP nor files."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import TypeVar

from dosing_service.errors import UnknownId
from dosing_service.knowledge.base import Agent, KnowledgeBase, Reference
from dosing_service.model import Assessment, DoseRequest
from dosing_service.rules.assessment import assess

_T = TypeVar("_T")

NOTICE = "Decision support for professionals, not clinically approved. Verify every dose against primary sources."


def calculate_dose(request: DoseRequest, knowledge: KnowledgeBase) -> Assessment:
    """Return the dose of one agent for one patient, every other regimen that applies, and what must be known of both.

    Raises:
        UnknownId: the agent is not in the knowledge base.
        InvalidRequest: the regimen or an option does not fit, or an input is missing without which the chosen regimen
            cannot be computed.
    """
    return assess(request, find_agent(request.agent, knowledge))


def find_agent(id_: str, knowledge: KnowledgeBase) -> Agent:
    """Return the agent with this id.

    Raises:
        UnknownId: there is none; the error carries the nearest ids.
    """
    return _find("agent", id_, knowledge.agents, _names(knowledge))


def find_reference(id_: str, knowledge: KnowledgeBase) -> Reference:
    """Return the citation with this id.

    Raises:
        UnknownId: there is none; the error carries the nearest ids.
    """
    return _find("reference", id_, knowledge.references, {known: known for known in knowledge.references})


def _find(kind: str, id_: str, known: Mapping[str, _T], names: Mapping[str, str]) -> _T:
    if id_ in known:
        return known[id_]
    close = get_close_matches(id_.lower(), names, n=3)
    raise UnknownId(kind, tuple(dict.fromkeys(names[name] for name in close)))


@cache
def _names(knowledge: KnowledgeBase) -> Mapping[str, str]:
    """Every id, name and synonym in lower case, with the id it stands for."""
    agents = knowledge.agents.values()
    return {name.lower(): agent.id for agent in agents for name in (agent.id, agent.name, *agent.synonyms)}
