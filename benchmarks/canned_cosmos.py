"""A Cosmos DB account that costs next to nothing: whatever is asked for is there, and taken.

It stands in for the database so that the measured process is never kept waiting, and counts the
requests that reach it. It checks nothing: that requests are right is what tests/database is for.
"""

import asyncio
import gc
import json
from typing import Any

from aiohttp import web

from benchmarks.processes import Message, answer_commands
from benchmarks.traffic import METADATA, PAGE

_SYSTEM = {
    "_rid": "AAAAAKPlAAABAAAAAAAAAA==",
    "_self": "dbs/AAAAAA==/colls/AAAAAKPlAAA=/docs/AAAAAKPlAAABAAAAAAAAAA==/",
    "_etag": '"00000000-0000-0000-0000-000000000000"',
    "_attachments": "attachments/",
    "_ts": 1700000000,
}
_PARTITION_KEY = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}
# As many as the service sends with a document, as far as published traces show it.
_HEADERS = {
    "Content-Type": "application/json",
    "etag": '"00000000-0000-0000-0000-000000000000"',
    "x-ms-activity-id": "00000000-0000-0000-0000-000000000000",
    "x-ms-alt-content-path": "dbs/conversations/colls/conversations",
    "x-ms-content-path": "AAAAAKPlAAA=",
    "x-ms-documentdb-partitionkeyrangeid": "0",
    "x-ms-last-state-change-utc": "Tue, 14 Nov 2023 20:00:00.000 GMT",
    "x-ms-request-charge": "10.29",
    "x-ms-resource-quota": "documentSize=10240;documentsSize=10485760;documentsCount=-1;",
    "x-ms-session-token": "0:-1#12",
    **{f"x-ms-other-{number}": "version=2.14.0" for number in range(12)},
}


class CannedCosmos:
    """The answers, and when what was asked for documents."""

    def __init__(self) -> None:
        self.url = ""
        self._delay = 0.0
        self._spans: list[tuple[float, float]] = []
        self._pages: dict[int, bytes] = {}

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request, after the delay."""
        content = await request.read()
        if "/docs" in request.path:
            started = asyncio.get_running_loop().time()
            body = self._documents(request, content)
            await asyncio.sleep(self._delay)
            self._spans.append((started, asyncio.get_running_loop().time()))
        elif request.path.endswith("/pkranges/"):
            if "If-None-Match" in request.headers:
                return web.Response(status=304, headers=_HEADERS)
            one = {"id": "0", "minInclusive": "", "maxExclusive": "FF"}
            body = _dump({"PartitionKeyRanges": [one]})
        elif "/colls/" in request.path:
            body = _dump({**_SYSTEM, "id": "conversations", "partitionKey": _PARTITION_KEY})
        else:
            region = [{"name": "here", "databaseAccountEndpoint": self.url}]
            account = {"id": "canned", "writableLocations": region, "readableLocations": region}
            session = {"defaultConsistencyLevel": "Session"}
            body = _dump({**account, "userConsistencyPolicy": session})
        return web.Response(body=body, headers=_HEADERS)

    async def report(self, command: Message) -> Message:
        """How many requests came since the last command, how many of them one after another."""
        answer = {"requests": len(self._spans), "in_sequence": serial(self._spans)}
        self._spans.clear()
        self._delay = command["delay"]
        return answer

    def _documents(self, request: web.BaseRequest, content: bytes) -> bytes:
        if "x-ms-documentdb-isquery" in request.headers:
            return self._page(int(request.headers["x-ms-max-item-count"]))
        if "x-ms-cosmos-is-batch-request" in request.headers:
            return _dump([_result(operation) for operation in json.loads(content)])
        return _dump(_conversation(request.path.rstrip("/").rpartition("/")[2]))

    def _page(self, count: int) -> bytes:
        if count not in self._pages:
            # A chat's messages; in a page longer than usual, long ones.
            text = "All work and no play. " * (20 if count <= PAGE + 1 else 450)
            items = [_item(f"msg_{number:048x}", text) for number in range(count)]
            self._pages[count] = _dump({"_rid": "", "Documents": items, "_count": count})
        return self._pages[count]


def serial(spans: list[tuple[float, float]]) -> int:
    """The most of these spans of time that follow one another without overlap."""
    count, free_at = 0, 0.0
    for start, end in sorted(spans, key=lambda span: span[1]):
        if start >= free_at:
            count, free_at = count + 1, end
    return count


def _result(operation: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case {"operationType": "Create", "resourceBody": document}:
            document = document | _SYSTEM
        case {"operationType": "Delete"}:
            document = None
        case {"id": str(id_)} if "." in id_:
            item = _item(id_.partition(".")[2], "Hello.")
            document = {"id": id_, "item": item} | _SYSTEM
        case _:
            document = _conversation(operation["id"])
    return {"statusCode": 200, "requestCharge": 5.0, "eTag": "0", "resourceBody": document}


def _conversation(id_: str) -> dict[str, Any]:
    return {
        "id": id_,
        "isolation_key": "user-0000",
        "sort_key": f"conversation/0123456789abcdef/{id_}",
        "type": "conversation",
        "created_at": 1700000000,
        "metadata": METADATA,
        "version": "0123456789abcdef",
        "last_position": 1,
        "last_request": "0123456789abcdef0123456789abcdef",
        **_SYSTEM,
    }


def _item(id_: str, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    common = {"type": "message", "role": "assistant", "status": "completed"}
    return {**common, "id": id_, "content": content}


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


async def _main() -> None:
    gc.disable()  # its pauses would count as ours
    cosmos = CannedCosmos()
    runner = web.ServerRunner(web.Server(cosmos.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cosmos.url = "http://{}:{}".format(*runner.addresses[0])
    await answer_commands({"url": cosmos.url}, cosmos.report)


if __name__ == "__main__":
    asyncio.run(_main())
