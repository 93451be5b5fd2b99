"""The app and the stand-in in one process, and between them a network that can be told to fail.

What the app sends is composed by its own code and the SDK's, and reaches the stand-in's own
handler; only the sockets are left out, so that thousands of schedules take seconds. The network
notes what the stand-in committed, and for which call: that is the truth the calls are held to.
"""

import json
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import ClientConnectorError, ServerDisconnectedError, web
from multidict import CIMultiDict
from yarl import URL

from local.cosmos.server import CosmosEmulator
from local.cosmos.storage import Key, Storage
from tests.support.servers import emulator_key

DATABASE = "conversations"
CONTAINER = f"dbs/{DATABASE}/colls/{DATABASE}"
ENDPOINT = "http://127.0.0.1:1"  # nobody listens there, and nobody is asked


@dataclass(frozen=True)
class Sent:
    """A request as the stand-in's handler takes it; stands in for aiohttp's."""

    method: str
    rel_url: URL
    headers: CIMultiDict[str]
    content: bytes

    @property
    def host(self) -> str:
        """Of the URL."""
        return f"{self.rel_url.host}:{self.rel_url.port}"

    @property
    def path(self) -> str:
        """Of the URL, decoded."""
        return self.rel_url.path

    @property
    def content_type(self) -> str:
        """Without parameters."""
        return self.headers.get("Content-Type", "application/octet-stream").partition(";")[0]

    async def read(self) -> bytes:
        """The body."""
        return self.content

    @property
    def is_about_documents(self) -> bool:
        """Whether the app sent it; the rest is the SDK's own."""
        return "/docs/" in self.path

    @property
    def is_batch(self) -> bool:
        """Whether it is a transaction."""
        return "x-ms-cosmos-is-batch-request" in self.headers

    @property
    def operations(self) -> list[dict[str, Any]]:
        """What it asks the database to do, a lone patch as a batch of one; no query."""
        if self.method == "PATCH":
            id_ = self.path.rstrip("/").rpartition("/")[2]
            body = json.loads(self.content)
            return [{"operationType": "Patch", "id": id_, "resourceBody": body}]
        return list(json.loads(self.content)) if self.is_batch else []


@dataclass(frozen=True)
class Received:
    """An answer; stands in for aiohttp's."""

    status: int
    headers: CIMultiDict[str]
    content: bytes
    reason: str = ""

    async def read(self) -> bytes:
        """The content."""
        return self.content


Origin = Any
"""Whatever the test says about who sends: it comes back with every commit."""

sender: ContextVar[Origin] = ContextVar("sender")


@dataclass(frozen=True)
class Commit:
    """A transaction that wrote, and what was there before of the documents that it patched.

    `late`: the network delivered it when its sender no longer waited.
    """

    number: int
    origin: Origin
    late: bool
    operations: list[dict[str, Any]]
    before: Mapping[str, dict[str, Any]]

    def created(self, type_: str) -> list[dict[str, Any]]:
        """The new documents of a type, in order."""
        documents = [one["resourceBody"] for one in self.of("Create")]
        return [document for document in documents if document["type"] == type_]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The operations of a kind."""
        return [one for one in self.operations if one["operationType"] == kind]

    def deletes(self, id_: str) -> bool:
        """Whether it removed the document of this id."""
        return any(one["id"] == id_ for one in self.of("Delete"))

    def patched(self, name: str) -> Any:
        """What it set the property to; None if it did not."""
        for patch in self.of("Patch"):
            for change in patch["resourceBody"]["operations"]:
                if change["path"] == f"/{name}":
                    return change["value"]
        return None


class StandIn:
    """One account, fresh and in memory; `clock` dates its documents."""

    def __init__(self, clock: Callable[[], float], consistency: str = "Session") -> None:
        self.storage = Storage(Path(":memory:"), clock=clock)
        # Thousands of them, which Python 3.13 wants closed: to be called, or else at the end.
        self.close = weakref.finalize(self, self.storage.close)
        self.emulator = CosmosEmulator(
            self.storage,
            key=emulator_key(),
            database=DATABASE,
            container=DATABASE,
            consistency=consistency,
        )
        self.commits: list[Commit] = []

    async def carry_out(self, sent: Sent, origin: Origin, late: bool) -> Received:
        """Give a request to the stand-in, and note what it commits."""
        writes = [one for one in sent.operations if one["operationType"] != "Read"]
        before = {}
        if writes:
            key = sent.headers["x-ms-documentdb-partitionkey"]
            for one in writes:
                if "id" in one:
                    before[one["id"]] = self.document(key, one["id"])
        answer = await self.emulator.handle(cast(web.BaseRequest, sent))
        assert isinstance(answer, web.Response)
        if writes and answer.status == 200:
            found = {id_: body for id_, body in before.items() if body is not None}
            self.commits.append(Commit(len(self.commits), origin, late, sent.operations, found))
        content = answer.body or b""
        assert isinstance(content, bytes)
        return Received(answer.status, answer.headers, content)

    def document(self, partition_key: str, id_: str) -> dict[str, Any] | None:
        """What is stored under an id of a partition, whose key is JSON text."""
        stored = self.storage.get(Key(CONTAINER, partition_key, id_))
        return stored.body if stored else None

    def everything(self) -> list[dict[str, Any]]:
        """All documents there are, in the order of their sort keys."""
        entries = self.storage.scan(CONTAINER, low=None, high=None)
        return [entry.load().body for entry in entries]


CarryOut = Callable[..., Awaitable[Received]]
Carrier = Callable[[Sent, CarryOut], Awaitable[Received]]
"""What happens to a request about documents on its way; the second argument carries it out."""


class Network:
    """Carries the requests of every host to `stand_in`, by way of `carrier`.

    Stands in for aiohttp's session under the app's own transport.
    """

    stand_in: StandIn | None = None
    carrier: Carrier | None = None

    def session(self, **_: Any) -> "Network":
        """In place of aiohttp's session, which has the sockets."""
        return self

    async def close(self) -> None:
        """There are none."""

    async def request(
        self, method: str, url: str, *, data: Any, headers: Mapping[str, str], **_: Any
    ) -> Received:
        """One request and its answer. Raises what aiohttp would."""
        assert self.stand_in is not None
        stand_in, origin = self.stand_in, sender.get(None)
        content = data.encode() if isinstance(data, str) else data or b""
        sent = Sent(method, URL(url, encoded=True), CIMultiDict(headers), content)

        async def carry_out(late: bool = False) -> Received:
            return await stand_in.carry_out(sent, origin, late)

        if self.carrier and sent.is_about_documents:
            return await self.carrier(sent, carry_out)
        return await carry_out()


def reset() -> Exception:
    """What aiohttp raises for a connection that broke."""
    return ServerDisconnectedError()


def refused() -> Exception:
    """What aiohttp raises where nobody listens."""
    nobody = SimpleNamespace(host="127.0.0.1", port=1, ssl=True, is_ssl=False)
    return ClientConnectorError(cast(Any, nobody), ConnectionRefusedError("nobody listens"))
