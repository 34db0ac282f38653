"""Strict YAML: numbers as exact decimals, no duplicate keys, no dates or yes/no read into plain words."""

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

import yaml
from yaml.constructor import ConstructorError


class _StrictLoader(yaml.CSafeLoader):
    """YAML with JSON's idea of scalars: null, true, false, decimal numbers, else text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML reads this class attribute; it must not be inherited

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the signature is PyYAML's
        """Build a mapping and refuse a key that occurs twice, which YAML would resolve silently to the last one."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise ConstructorError(None, None, f"duplicate key {key_node.value!r}", key_node.start_mark)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _decimal(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


def _implicit(tag: str, pattern: str, first: str) -> None:
    import re  # noqa: PLC0415 - used once, while the class is being set up

    _StrictLoader.add_implicit_resolver(tag, re.compile(pattern), list(first))


_implicit("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf")
_implicit("tag:yaml.org,2002:null", r"^(?:null)$", "n")
_implicit("!decimal", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$", "-0123456789")
_StrictLoader.add_constructor("!decimal", _decimal)


def read(text: str) -> Any:
    """Return the document in ``text``.

    Raises:
        yaml.YAMLError: the text is not YAML, or a key occurs twice; the message names line and column.
    """
    loader = _StrictLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
