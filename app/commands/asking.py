"""Asks a worker or the collector over HTTP."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
import msgspec

from app.web import RECOVERED

ANSWER_SECONDS_MAX = 10.0
PATIENCE_TRIES = 60
LATER = (429, 503)


class Unanswered(Exception):
    """Nobody listens, or the answer is an error; one line. `status` is None when nobody answers."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


async def ask(url: str, token: str = "") -> dict[str, Any]:
    """The JSON object of the answer. Raises Unanswered."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=headers) as answer:
            body = await answer.read()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        why = "no connection" if isinstance(error, aiohttp.ClientConnectorError) else str(error) or type(error).__name__
        raise Unanswered(f"nobody answers at {url}: {why}") from error
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unanswered(f"{url} answers {answer.status}, and not with JSON", answer.status) from error
    if answer.status != 200:
        raise Unanswered(f"{url} answers {answer.status}: {_message(document)}", answer.status)
    return document


async def patiently(url: str, token: str = "") -> dict[str, Any]:
    """The same, asked again for a while when the answer is that it will be ready later."""
    for _ in range(PATIENCE_TRIES):
        try:
            return await ask(url, token)
        except Unanswered as error:
            if error.status not in LATER:
                raise
        await asyncio.sleep(1)
    return await ask(url, token)


class Readiness(NamedTuple):
    """Whether what listens at an address can work; how much it has recovered, where it is about to."""

    ready: bool
    recovered: float | None = None


async def readiness(url: str) -> Readiness:
    """What the one at the address says of itself; nobody there is not ready."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{url}/readyz") as answer:
            recovered = answer.headers.get(RECOVERED)
            return Readiness(answer.status == 200, None if recovered is None else float(recovered))
    except (aiohttp.ClientError, OSError, TimeoutError):
        return Readiness(False)


def identifier_path(namespace: str, value: str) -> str:
    """`namespace/value` for a path."""
    return f"{quote(namespace, safe='')}/{quote(value, safe='')}"


def _message(document: Mapping[str, Any]) -> object:
    error = document.get("error")
    return error.get("message") if isinstance(error, dict) else "no reason given"
