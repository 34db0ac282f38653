"""Text for cards: whatever came from a request is shown as text, never as Markdown or HTML (rule 20)."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")
#: Where a bare address would be recognised: before @, between two slashes, after www and after dots within a name.
_ADDRESS = re.compile(r"(?=@)|(?<=/)(?=/)|(?<=www)(?=\.)|(?<=[^\W_]\.)(?=[^\W\d_]{2})", re.IGNORECASE)
#: Invisible, and no part of an address. GitHub Flavored Markdown makes links of bare addresses, escaped or not.
_BREAK = "\u200b"
#: What at the beginning of a line makes a list or a heading of it, beside the characters above.
_BEGINNING = re.compile(r"^([0-9]{0,9})([.=])(?=[\s=]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
#: A summary is one sentence of under 140 characters: clients refuse 140 itself.
MOST_SUMMARY = 139


def escaped(text: str) -> str:
    """Return ``text`` as GitHub Flavored Markdown that renders as this text and nothing else: addresses in it are no
    links, which takes an invisible character.
    """
    return cited(_ADDRESS.sub(_BREAK, text))


def cited(text: str) -> str:
    """Return a citation of the knowledge base as Markdown; addresses in it stay whole, so that they can be copied."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    return _BEGINNING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", plain))


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
