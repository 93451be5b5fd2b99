"""A Cosmos DB account that costs next to nothing: every patch gets the same document.

It stands in for the database so that the measured process is never kept waiting, and counts the
requests that reach it.
"""

import asyncio
import json
import re
from typing import Any

from benchmarks.processes import Message, answer_commands
from benchmarks.traffic import CONTAINER, METADATA

# A published figure for a small write; looked for in the app's log line.
REQUEST_CHARGE = "10.29"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_COLLECTION = {
    "id": CONTAINER,
    "_rid": "AAAAAKPlAAA=",
    "_self": "dbs/AAAAAA==/colls/AAAAAKPlAAA=/",
    "partitionKey": {"paths": ["/isolation_key"], "kind": "Hash", "version": 2},
}
_DOCUMENT = {
    "id": "ID",
    "isolation_key": "user-0000",
    "type": "conversation",
    "created_at": 1700000000,
    "metadata": METADATA,
    "_rid": "AAAAAKPlAAABAAAAAAAAAA==",
    "_self": "dbs/AAAAAA==/colls/AAAAAKPlAAA=/docs/AAAAAKPlAAABAAAAAAAAAA==/",
    "_etag": '"00000000-0000-0000-0000-000000000000"',
    "_attachments": "attachments/",
    "_ts": 1700000000,
}
# What the service sends with a document, as far as published traces show it.
_HEADERS = {
    "Cache-Control": "no-store, no-cache",
    "Content-Type": "application/json",
    "Date": "Tue, 14 Nov 2023 22:13:20 GMT",
    "Server": "Microsoft-HTTPAPI/2.0",
    "etag": '"00000000-0000-0000-0000-000000000000"',
    "lsn": "12",
    "x-ms-activity-id": "00000000-0000-0000-0000-000000000000",
    "x-ms-alt-content-path": "dbs/conversations/colls/conversations",
    "x-ms-content-path": "AAAAAKPlAAA=",
    "x-ms-gatewayversion": "version=2.14.0",
    "x-ms-global-committed-lsn": "11",
    "x-ms-item-lsn": "12",
    "x-ms-last-state-change-utc": "Tue, 14 Nov 2023 20:00:00.000 GMT",
    "x-ms-number-of-read-regions": "0",
    "x-ms-request-charge": REQUEST_CHARGE,
    "x-ms-request-duration-ms": "3.1",
    "x-ms-resource-quota": "documentSize=10240;documentsSize=10485760;documentsCount=-1;",
    "x-ms-resource-usage": "documentSize=0;documentsSize=1;documentsCount=64;",
    "x-ms-schemaversion": "1.18",
    "x-ms-serviceversion": "version=2.14.0.0",
    "x-ms-session-token": "0:-1#12",
    "x-ms-transport-request-id": "1",
    "x-ms-xp-role": "1",
}


class CannedCosmos:
    """The answers, and what was asked."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.requests = 0
        self.spans: list[tuple[float, float]] | None = None
        self._collection = _response(_COLLECTION)
        self._head, _, rest = _response(_DOCUMENT).partition(b"\r\n\r\n")
        self._before, self._after = rest.split(b"ID", 1)

    def serve_at(self, url: str) -> None:
        """Say in the account's properties that its only region is `url`."""
        region = [{"name": "here", "databaseAccountEndpoint": url}]
        self._account = _response(
            {
                "id": "canned",
                "writableLocations": region,
                "readableLocations": region,
                "enableMultipleWriteLocations": False,
                "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
            }
        )

    def response(self, target: bytes) -> bytes:
        """The bytes that answer a request for `target`."""
        self.requests += 1
        _, of_document, id_ = target.partition(b"/docs/")
        if of_document:
            body = self._before + id_.rstrip(b"/") + self._after
            return b"%s\r\nContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body)
        return self._account if target == b"/" else self._collection

    async def handle(self, command: Message) -> Message:
        """Report what was asked since the last command, and take a new delay."""
        report: Message = {"requests": self.requests, "spans": self.spans}
        self.delay = command.get("delay", 0.0)
        self.requests, self.spans = 0, [] if self.delay else None
        return report


class _Connection(asyncio.Protocol):
    def __init__(self, cosmos: CannedCosmos) -> None:
        self._cosmos = cosmos
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, complete, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not complete or len(body) < (int(length[1]) if length else 0):
            return  # no client here sends a second request before the answer to the first
        self._received = b""
        response = self._cosmos.response(head.split(b" ", 2)[1])
        if self._cosmos.spans is None:
            self._transport.write(response)
            return
        loop, delay = asyncio.get_running_loop(), self._cosmos.delay
        self._cosmos.spans.append((loop.time(), loop.time() + delay))
        loop.call_later(delay, self._transport.write, response)


def _response(body: Any) -> bytes:
    """A whole response; that of the document template goes without its length."""
    content = json.dumps(body).encode()
    lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in _HEADERS.items())]
    if body is not _DOCUMENT:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def _main() -> None:
    cosmos = CannedCosmos()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(cosmos), "127.0.0.1", 0)
    url = "http://{}:{}".format(*server.sockets[0].getsockname())
    cosmos.serve_at(url)
    await answer_commands({"url": url}, cosmos.handle)


if __name__ == "__main__":
    asyncio.run(_main())
