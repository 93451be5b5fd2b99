"""Ways in which a Cosmos DB server fails, to set as the `fault` of a `CosmosWire`.

wire.fault = patches(first(1, answers(503)))
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.support import cosmos_wire
from tests.support.cosmos_wire import Answer, CosmosWire, Fault

# In every made-up answer: whatever the database says of itself must not reach a caller.
SECRET = "inner-workings-0451"


def answers(status: int, sub_status: int = 0, *, headers: Mapping[str, str] | None = None) -> Fault:
    """An error answer of Cosmos DB's shape."""
    body = {"code": SECRET, "message": f"ActivityId: {SECRET}"}
    return says(
        json.dumps(body).encode(),
        status=status,
        headers={"x-ms-substatus": str(sub_status), **(headers or {})},
    )


def throttles(milliseconds: float | str) -> Fault:
    """429, naming its wait."""
    return answers(429, 3200, headers={"x-ms-retry-after-ms": str(milliseconds)})


def says(content: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Fault:
    """An answer of these bytes."""

    async def fault(_: web.BaseRequest) -> Answer:
        return web.Response(
            status=status,
            body=content,
            content_type="application/json",
            headers={"x-ms-request-charge": "1", **(headers or {})},
        )

    return fault


def says_document(document: Any) -> Fault:
    """An answer that claims to be the document."""
    return says(json.dumps(document).encode())


async def silent(_: web.BaseRequest) -> Answer:
    """No answer, ever; the connection stays."""
    await asyncio.Event().wait()
    return None


async def resets(request: web.BaseRequest) -> Answer:
    """A TCP reset once the request was read; nothing is carried out."""
    assert request.transport is not None
    cosmos_wire.reset(request.transport)
    return await silent(request)


async def hangs_up(request: web.BaseRequest) -> Answer:
    """An orderly end of the connection in place of an answer; nothing is carried out."""
    assert request.transport is not None
    request.transport.close()
    return await silent(request)


def loses_answer(wire: CosmosWire) -> Fault:
    """The stand-in carries the request out, but a TCP reset comes in place of its answer."""

    async def fault(request: web.BaseRequest) -> Answer:
        await wire.stand_in(request)
        return await resets(request)

    return fault


async def breaks_off(request: web.BaseRequest) -> Answer:
    """Half an answer, then the end of the connection."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    answer.content_length = 1_000
    await answer.prepare(request)
    await answer.write(b'{"id": "')
    assert request.transport is not None
    request.transport.close()
    return answer


async def drips(request: web.BaseRequest) -> Answer:
    """An answer that comes byte by byte and never ends: no single read is slow."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    answer.content_length = 1_000_000
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.05)


def slow(seconds: float) -> Fault:
    """The stand-in's own answer, late."""

    async def fault(_: web.BaseRequest) -> Answer:
        await asyncio.sleep(seconds)
        return None

    return fault


def first(count: int, fault: Fault) -> Fault:
    """Only the first `count` requests."""
    return in_turn(*[fault] * count)


def in_turn(*faults: Fault) -> Fault:
    """One fault for each request, in this order; then none."""
    left = iter(faults)

    async def each(request: web.BaseRequest) -> Answer:
        fault = next(left, None)
        return await fault(request) if fault else None

    return each


def patches(fault: Fault) -> Fault:
    """Only PATCH requests, which are this app's updates."""
    return only("PATCH", "/docs/", fault)


def account(fault: Fault) -> Fault:
    """Only requests about the account, with which the SDK opens a client."""

    async def some(request: web.BaseRequest) -> Answer:
        return await fault(request) if request.path == "/" else None

    return some


def only(method: str, path: str, fault: Fault) -> Fault:
    """Only requests of this method whose path has `path` in it."""

    async def some(request: web.BaseRequest) -> Answer:
        matches = request.method == method and path in request.path
        return await fault(request) if matches else None

    return some
