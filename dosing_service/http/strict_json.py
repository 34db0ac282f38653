"""JSON as this service reads and writes it: UTF-8, no duplicate names, no NaN, bounded, with exact decimals.

The standard decoder takes all of these silently, keeps the last of two equal names, and fails with a server error on
deep nesting.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from flask import Request

from dosing_service.errors import MalformedBody, Problem

MAX_DEPTH = 32
_MAX_NUMBER_LENGTH = 40
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"\\'))
_BRACKET = re.compile(rb"[\[\]{}]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(document: Any) -> bytes:
    """Return ``document`` as JSON with exact decimals."""
    return _ENCODER.encode(document)


def read_object(request: Request, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON document in the body of ``request``, numbers as :class:`~decimal.Decimal`.

    Raises:
        MalformedBody: wrong media type (415), too large (413), or not JSON as described above (400).
    """
    _check_media_type(request)
    _check_size(request.content_length or 0, max_bytes)
    # Werkzeug cuts a body that announces no length off here, without a word; the byte more shows that it was too long.
    request.max_content_length = max_bytes + 1
    body = request.get_data(cache=False)
    _check_size(len(body), max_bytes)
    return decode(body, max_depth)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise MalformedBody(Problem("", "too-large", "the body is too large", f"at most {max_bytes} bytes"), 413)


def _check_media_type(request: Request) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
        raise MalformedBody(
            Problem("", "media-type", "the body must be JSON in UTF-8", "Content-Type: application/json"), 415
        )


def decode(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON document in ``body``.

    Raises:
        MalformedBody: with status 400.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("not-utf-8", "the body is not UTF-8", "JSON in UTF-8 without a byte order mark") from error
    _check_depth(body, max_depth)
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(
            "not-json",
            f"the body is not JSON (line {error.lineno}, column {error.colno})",
            "one JSON document (RFC 8259)",
        ) from error
    if _ESCAPED_SURROGATE.search(text):
        _check_surrogates(document)
    return document


def _malformed(code: str, detail: str, expected: str) -> MalformedBody:
    return MalformedBody(Problem("", code, detail, expected))


def _check_depth(body: bytes, most: int) -> None:
    """Refuse deep nesting before the recursive decoder sees it; counting brackets settles almost every request."""
    if body.count(b"[") + body.count(b"{") <= most:
        return
    depth = 0
    for bracket in _brackets(body):
        depth += 1 if bracket in b"[{" else -1
        if depth > most:
            raise _malformed("too-deep", "the JSON is nested too deeply", f"at most {most} levels")


def _brackets(body: bytes) -> list[bytes]:
    """Return the brackets outside strings.

    Without escapes the quotes and brackets alone tell which is which, and strings that hold no bracket vanish at once.
    """
    skeleton = body.translate(None, _NOT_STRUCTURE)
    if b"\\" in skeleton:
        return _BRACKET.findall(_STRING.sub(b"", body))
    return _BRACKET.findall(_STRING.sub(b"", skeleton.replace(b'""', b"")))


def _check_surrogates(document: Any) -> None:
    try:
        json.dumps(document, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _malformed("lone-surrogate", "a string holds half of a surrogate pair", "Unicode text") from error


def _number(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_LENGTH:
        raise _malformed("number-too-long", "a number has too many digits", f"at most {_MAX_NUMBER_LENGTH} characters")
    try:
        return Decimal(text)
    except InvalidOperation as error:  # an exponent of twenty digits, which no Decimal holds
        raise _malformed("number-too-long", "a number is out of all bounds", "a number a person can have") from error


def _constant(_: str) -> Any:
    raise _malformed("not-a-number", "NaN and Infinity are not JSON", "a finite number")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _malformed("duplicate-name", "a name occurs twice in one object", "each name once")
    return document


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_number, parse_int=_number, parse_constant=_constant)
