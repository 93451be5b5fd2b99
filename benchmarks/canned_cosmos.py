"""A Cosmos DB account that costs next to nothing: whatever is asked for is there, and taken.

It stands in for the database so that the measured process is never kept waiting. It checks nothing:
that requests are right is what tests/database is for. GET /counted?delay=SECONDS tells how many
requests for documents came since the last time, and keeps later ones waiting so long.
"""

import asyncio
import functools
import gc
import json
from typing import Any

from aiohttp import web

from benchmarks.processes import serve
from benchmarks.traffic import METADATA, PAGE, dump

_SYSTEM = {
    "_rid": "AAAAAKPlAAABAAAAAAAAAA==",
    "_self": "dbs/AAAAAA==/colls/AAAAAKPlAAA=/docs/AAAAAKPlAAABAAAAAAAAAA==/",
    "_etag": '"00000000-0000-0000-0000-000000000000"',
    "_attachments": "attachments/",
    "_ts": 1700000000,
}
# As many as the service sends with a document, as far as published traces show it.
_HEADERS = {
    "Content-Type": "application/json",
    "etag": '"00000000-0000-0000-0000-000000000000"',
    "x-ms-activity-id": "00000000-0000-0000-0000-000000000000",
    "x-ms-alt-content-path": "dbs/conversations/colls/conversations",
    "x-ms-content-path": "AAAAAKPlAAA=",
    "x-ms-documentdb-partitionkeyrangeid": "0",  # without it, the SDK looks it up for each query
    "x-ms-request-charge": "10.29",
    "x-ms-session-token": "0:-1#12",
    **{f"x-ms-other-{number}": "version=2.14.0; a=b" for number in range(14)},
}


class CannedCosmos:
    """The server, which counts."""

    count, delay = 0, 0.0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.path == "/counted":
            count, self.count, self.delay = self.count, 0, float(request.query["delay"])
            return web.json_response(count)
        content = await request.read()
        if "If-None-Match" in request.headers:  # metadata that the SDK has
            return web.Response(status=304, headers=_HEADERS)
        if "/docs" not in request.path:
            return web.Response(body=dump(_metadata(request)), headers=_HEADERS)
        self.count += 1
        await asyncio.sleep(self.delay)
        return web.Response(body=_documents(request, content), headers=_HEADERS)


def _metadata(request: web.BaseRequest) -> dict[str, Any]:
    if request.path.endswith("/pkranges/"):
        return {"PartitionKeyRanges": [{"id": "0", "minInclusive": "", "maxExclusive": "FF"}]}
    region = [{"name": "here", "databaseAccountEndpoint": f"http://{request.host}"}]
    account = {"id": "canned", "writableLocations": region, "readableLocations": region}
    return {**account, "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"}}


def _documents(request: web.BaseRequest, content: bytes) -> bytes:
    if "x-ms-documentdb-isquery" in request.headers:
        return _page(int(request.headers["x-ms-max-item-count"]))
    if "x-ms-cosmos-is-batch-request" in request.headers:
        return dump([_result(operation) for operation in json.loads(content)])
    return dump(_conversation(request.path.rstrip("/").rpartition("/")[2]))


@functools.cache
def _page(count: int) -> bytes:
    # A chat's messages; in a page longer than usual, long ones.
    text = "All work and no play. " * (20 if count <= PAGE + 1 else 450)
    items = [_item(f"msg_{number:048x}", text) for number in range(count)]
    return dump({"_rid": "", "Documents": items, "_count": count})


def _result(operation: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case {"operationType": "Create", "resourceBody": created}:
            document = created | _SYSTEM
        case {"id": id_} if "." in id_:  # an item's, or what was one
            document = {"id": id_, "item": _item(id_.partition(".")[2], "Hello.")} | _SYSTEM
        case {"id": id_}:
            document = _conversation(id_)
    return {"statusCode": 200, "requestCharge": 5.0, "eTag": "0", "resourceBody": document}


def _conversation(id_: str) -> dict[str, Any]:
    place = {"isolation_key": "user-0000", "sort_key": f"conversation/0123456789abcdef/{id_}"}
    times = {"created_at": 1700000000, "version": "0123456789abcdef", "last_position": 1}
    last = {"last_request": "0123456789abcdef0123456789abcdef", "metadata": METADATA}
    return {"id": id_, "type": "conversation", **place, **times, **last, **_SYSTEM}


def _item(id_: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    message = {"type": "message", "role": "assistant", "status": "completed"}
    return message | {"id": id_, "content": content}


if __name__ == "__main__":
    gc.disable()  # its pauses would count as ours
    asyncio.run(serve(CannedCosmos().handle))
