"""Clinical knowledge as data: YAML files, validated and compiled into one immutable
:class:`~dosing_service.knowledge.base.KnowledgeBase`.
"""

from dosing_service.knowledge.base import KnowledgeBase
from dosing_service.knowledge.loader import load

__all__ = ["KnowledgeBase", "load"]
