"""Requests that this service makes: bounded in time and size, without redirects, and silent in every log.

httpx bounds each step (a connection, one piece of an answer), so a server that sends a byte now and then could hold a
request for ever. Here all requests of one call share one time limit, after which they are cancelled.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import httpx

from dosing_service.model import Value

#: One answer; a bundle of 100 observations has about 100 kB. All answers of one call may have twice as much, so that
#: one that is too large does not spoil the others.
MAX_BYTES = 1024 * 1024

# At their lower levels these two write addresses, which hold ids of patients, and headers, which hold tokens.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Failure(Value, frozen=True):
    """Why there is no answer, in words of our own: nothing that the other side sent."""

    reason: str


class _Allowance:
    """How many bytes may come in one answer, and still in all of them."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._left = 2 * each

    def takes(self, piece: bytes, *, after: bytearray) -> bool:
        self._left -= len(piece)
        return self._left >= 0 and len(after) + len(piece) <= self._each


def get(
    addresses: Mapping[str, str], *, headers: Mapping[str, str], budget_seconds: float, max_bytes: int = MAX_BYTES
) -> dict[str, Any]:
    """Return for each key the JSON object at its address, or a :class:`Failure`, after ``budget_seconds`` at most.

    Numbers are :class:`~decimal.Decimal`, as in a request. The addresses are asked at the same time.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_get_all(addresses, dict(headers), budget_seconds, _Allowance(max_bytes)))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Does not wait for a name server that is silent; asyncio.run would.
        loop.close()


async def _get_all(
    addresses: Mapping[str, str], headers: dict[str, str], budget_seconds: float, allowance: _Allowance
) -> dict[str, Any]:
    client = httpx.AsyncClient(
        headers=headers | {"Accept-Encoding": "identity", "User-Agent": "dosing-service"},
        timeout=None,  # noqa: S113 - the limit that counts is that of all requests together, below
        verify=_tls(),
        follow_redirects=False,
        # Neither a proxy nor a password file of the machine decides where a token goes.
        trust_env=False,
    )
    async with client:
        tasks = {key: asyncio.create_task(_get(client, address, allowance)) for key, address in addresses.items()}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=budget_seconds)
        late = [task for task in tasks.values() if task.cancel()]
        await asyncio.gather(*late, return_exceptions=True)
    return {key: Failure("no answer in time") if task in late else task.result() for key, task in tasks.items()}


async def _get(client: httpx.AsyncClient, address: str, allowance: _Allowance) -> Any:
    try:
        async with client.stream("GET", address) as answer:
            return await _content(answer, allowance)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return Failure("no connection, or no HTTP")


async def _content(answer: httpx.Response, allowance: _Allowance) -> Any:
    if answer.status_code != httpx.codes.OK:
        return Failure(f"status {answer.status_code}")
    # A small answer could unpack to a huge one, and it was asked not to be packed.
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        return Failure("a packed answer")
    body = bytearray()
    async for piece in answer.aiter_raw():
        if not allowance.takes(piece, after=body):
            return Failure("too large")
        body += piece
    return _object(bytes(body))


def _object(body: bytes) -> Any:
    try:
        content = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        return Failure("not JSON")
    return content if isinstance(content, dict) else Failure("not a JSON object")


@cache
def _tls() -> ssl.SSLContext:
    """Return the certificates that the machine trusts (SSL_CERT_FILE names others), read once."""
    return ssl.create_default_context()
