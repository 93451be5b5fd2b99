"""Ways in which a Cosmos DB server fails, to set as the `fault` of a `CosmosWire`.

wire.fault = writes(first(1, answers(503)))
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
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


async def passes(_: web.BaseRequest) -> Answer:
    """No fault."""
    return None


async def silent(_: web.BaseRequest) -> Answer:
    """No answer, ever; the connection stays."""
    await asyncio.Event().wait()
    return None


async def resets(request: web.BaseRequest) -> Answer:
    """A TCP reset once the request was read; nothing is carried out."""
    assert request.transport is not None
    cosmos_wire.reset(request.transport)
    return await silent(request)


def says_raw(content: bytes) -> Fault:
    """These bytes in place of a response, and the end of the connection."""

    async def fault(request: web.BaseRequest) -> Answer:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(content)
        return await hangs_up(request)

    return fault


def no_gzip() -> Fault:
    """An answer that says it is packed, and is not."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
    return says_raw(head + b"abcd")


async def hangs_up(request: web.BaseRequest) -> Answer:
    """An orderly end of the connection in place of an answer; nothing is carried out."""
    assert request.transport is not None
    request.transport.close()
    return await silent(request)


def carried_out(wire: CosmosWire, fault: Fault) -> Fault:
    """The stand-in carries the request out, but this comes in place of its answer."""

    async def after_all(request: web.BaseRequest) -> Answer:
        await wire.stand_in(request)
        return await fault(request)

    return after_all


def meanwhile(action: Callable[[], object], fault: Fault | None = None) -> Fault:
    """Somebody else does this before the request is carried out, or before this comes instead."""

    async def other(request: web.BaseRequest) -> Answer:
        await asyncio.to_thread(action)
        return await fault(request) if fault else None

    return other


def altered(
    wire: CosmosWire, alter: Callable[[Any], Any], headers: Mapping[str, str] = {}
) -> Fault:
    """The stand-in carries the request out, and answers so much else than it would have."""

    async def fault(request: web.BaseRequest) -> Answer:
        answer = await wire.stand_in(request)
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        content = json.dumps(alter(json.loads(answer.body))).encode()
        kept = {name: value for name, value in answer.headers.items() if name.startswith("x-ms-")}
        return web.Response(
            status=answer.status,
            body=content,
            content_type="application/json",
            headers={**kept, **headers},
        )

    return fault


def refuses(culprit: int, status: int, sub_status: int = 0, **more: Any) -> Fault:
    """A batch's 207: this operation of it (-1 is the last) is why nothing was carried out."""

    async def fault(request: web.BaseRequest) -> Answer:
        count = len(json.loads(await request.read()))
        results = [{"statusCode": 424, "requestCharge": 0} for _ in range(count)]
        results[culprit] = {"statusCode": status, "subStatusCode": sub_status, **more}
        return await says(json.dumps(results).encode(), status=207)(request)

    return fault


def results(*statuses: int, status: int = 200) -> Fault:
    """A batch's answer with these statuses, whatever was asked."""
    content: Sequence[Any] = [{"statusCode": one, "requestCharge": 0} for one in statuses]
    return says(json.dumps(content).encode(), status=status)


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


def kind_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """What a request is to the app: a write, a look, a query, a read; None if about no document.

    A look is a batch of nothing but Reads: what a write is read back with.
    """
    if "/docs/" not in path:
        return None
    if method == "PATCH":
        return "write"
    if method == "GET":
        return "read"
    if headers.get("x-ms-documentdb-isquery"):
        return "query"
    operations = {one["operationType"] for one in json.loads(body)}
    return "look" if operations == {"Read"} else "write"


def sent(wire: CosmosWire) -> list[str]:
    """What the database was asked, in this order; see `kind_of`."""
    kinds = [kind_of(one.method, one.path, one.headers, one.body) for one in wire.requests]
    return [kind for kind in kinds if kind]


def writes(fault: Fault) -> Fault:
    """Only requests that store something."""
    return of_kind("write", fault)


def looks(fault: Fault) -> Fault:
    """Only batches of nothing but Reads."""
    return of_kind("look", fault)


def queries(fault: Fault) -> Fault:
    """Only queries."""
    return of_kind("query", fault)


def of_kind(kind: str, fault: Fault) -> Fault:
    """Only requests of this kind; see `kind_of`."""

    async def some(request: web.BaseRequest) -> Answer:
        body = await request.read()
        matches = kind_of(request.method, request.path, request.headers, body) == kind
        return await fault(request) if matches else None

    return some


def both(*faults: Fault) -> Fault:
    """The answer of the first of these that answers at all."""

    async def each(request: web.BaseRequest) -> Answer:
        for fault in faults:
            answer = await fault(request)
            if answer is not None:
                return answer
        return None

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
