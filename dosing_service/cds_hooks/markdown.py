"""Text for cards: whatever came from a request is shown as text, never as Markdown or HTML (rule 20)."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
#: A summary is one sentence of under 140 characters: clients refuse 140 itself.
MOST_SUMMARY = 139


def escaped(text: str) -> str:
    """Return ``text`` as GitHub Flavored Markdown that renders as exactly this text."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", plain)


def one_line(text: str) -> str:
    """Return ``text`` without control characters and marks that turn the direction of writing."""
    return " ".join(_CONTROL.sub(" ", text).split())


def clipped(text: str, most: int = MOST_SUMMARY) -> str:
    """Return ``text`` as plain text of at most ``most`` characters, cut between words; no angle brackets, since some
    clients render summaries as HTML.
    """
    line = one_line(text).replace("<", "\u2039").replace(">", "\u203a")
    if len(line) <= most:
        return line
    head = line[: most - 1]
    return f"{head.rpartition(' ')[0] or head}…"
