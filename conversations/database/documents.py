"""The requests for documents of one container, composed and sent here, beside the SDK's client.

The SDK's own methods send the same bytes for up to twice the CPU (docs/performance.md): they make
eleven retry policies for each request, none of which this app lets act. What is the SDK's to know
stays its own: the regions, the token, the session.
"""

import base64
import functools
import hmac
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum
from typing import Any
from urllib.parse import quote, urlsplit

from azure.cosmos.aio import CosmosClient
from pydantic_core import from_json, to_json

from conversations.database import sdk_internals
from conversations.database.failures import (
    DEFAULT_THROTTLE_MS,
    BatchTooLarge,
    FailedAnswer,
    UnreadableAnswer,
)
from conversations.database.transport import Transport
from conversations.limits import MAX_BATCH_BYTES
from conversations.settings import Settings

Document = dict[str, Any]

# Told to the SDK, which would otherwise read it from the account before the first operation.
PARTITION_KEY = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}

_LOCAL = {"localhost", "127.0.0.1"}  # where the SDK does not check certificates
_FAILED_DEPENDENCY = 424  # of a batch's operation: another one is why


class Everybody(Enum):
    """In place of a partition key: a query over all partitions. For the sweep alone."""

    PARTITIONS = "all"


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a query; it may be short or empty although there is more."""

    documents: list[Any]
    continuation: str | None
    """Where to go on; None at the end."""


def create(document: Document) -> Document:
    """An operation of a batch: store a new document."""
    return {"operationType": "Create", "resourceBody": document}


def read(id_: str) -> Document:
    """An operation of a batch: read a document."""
    return {"operationType": "Read", "id": id_}


def delete(id_: str) -> Document:
    """An operation of a batch: remove a document."""
    return {"operationType": "Delete", "id": id_}


def patch(id_: str, changes: Mapping[str, Any], condition: str | None = None) -> Document:
    """An operation of a batch: see `Documents.patch`."""
    return {"operationType": "Patch", "id": id_, "resourceBody": _patch(changes, condition)}


def key_range(prefix: str) -> tuple[str, str]:
    """Between which two sort keys, both excluded, all stand that begin with `prefix`.

    It ends in a slash, and the upper one in the character that comes next.
    """
    return prefix, f"{prefix[:-1]}0"


class Documents:
    """The documents of one container, through an open client.

    The partition key is an argument of every operation: there is no way to reach a document without
    naming whose it is. Ids must be safe to put into a URL: `..` would reach another resource.
    All raise AzureError: a DatabaseFailure, or ClientAuthenticationError without a token.
    """

    def __init__(self, client: CosmosClient, transport: Transport, settings: Settings) -> None:
        self._client = client
        self._transport = transport
        self._container = f"dbs/{settings.cosmos_database}/colls/{settings.cosmos_container}"
        self._path = quote(f"{self._container}/docs/")
        sdk_internals.describe_container(client, self._container, PARTITION_KEY)
        key = settings.cosmos_key
        self._key = key and base64.b64decode(key.get_secret_value())
        common = {
            "Cache-Control": "no-cache",
            "Accept": "application/json",
            **sdk_internals.default_headers(client),
            "x-ms-cosmos-sdk-supportedcapabilities": "1",
            "x-ms-thinclient-proxy-resource-type": "docs",
        }
        operation = "x-ms-thinclient-proxy-operation-type"
        self._read_headers = {**common, operation: "Read"}
        self._patch_headers = {
            **common,
            "Content-Type": "application/json-patch+json",
            operation: "Patch",
        }
        self._batch_headers = {
            **common,
            "Content-Type": "application/json",
            "x-ms-cosmos-is-batch-request": "True",
            "x-ms-cosmos-batch-atomic": "True",
            "x-ms-cosmos-batch-continue-on-error": "False",
            operation: "Batch",
        }
        self._query_headers = {
            **common,
            "Content-Type": "application/query+json",
            "x-ms-documentdb-isquery": "true",
            operation: "SqlQuery",
        }

    @property
    def reads_may_lag(self) -> bool:
        """Whether a read may miss what another instance of the app was answered before."""
        return sdk_internals.is_session_consistent(self._client)

    async def read(self, partition_key: str | None, id_: str) -> Document:
        """Read one document; on an account with Session consistency another instance's may lag."""
        headers = await self._for_reading(self._read_headers, partition_key)
        content, _ = await self._send("GET", headers, None, id_)
        return _object(content)

    async def patch(
        self,
        partition_key: str | None,
        id_: str,
        changes: Mapping[str, Any],
        condition: str | None = None,
    ) -> Document:
        """Set properties of a document, each as a whole. Returns the document as it is now.

        `condition` is a query's `FROM c WHERE ...`: unless it holds for the document, 412. A name
        in `changes` becomes part of a path, so it may hold neither `/` nor `~`.
        """
        headers = _for_partition(self._patch_headers, partition_key)
        content, _ = await self._send("PATCH", headers, _patch(changes, condition), id_)
        return _object(content)

    async def batch(
        self, partition_key: str | None, operations: Sequence[Document]
    ) -> list[Document | None]:
        """Carry out all operations or none, in one transaction of one partition.

        Goes to the region that takes writes, and sees the newest state there. Returns the document
        of each operation as it is now; None for a delete. A refusal is a FailedAnswer whose
        `operation` says which one it is about. Raises BatchTooLarge before anything is sent.
        """
        headers = _for_partition(self._batch_headers, partition_key)
        if all(operation["operationType"] == "Read" for operation in operations):
            headers = await self._for_reading(self._batch_headers, partition_key)
        content, received = await self._send("POST", headers, operations)
        return _batch_documents(_json(content), operations, received)

    async def find(self, partition_key: str | None, id_: str) -> Document | None:
        """Read one document in its newest state, by a batch; None if there is none."""
        try:
            (document,) = await self.batch(partition_key, [read(id_)])
        except FailedAnswer as failure:
            if failure.is_missing_document:
                return None
            raise
        return document

    async def query(
        self,
        partition_key: str | Everybody | None,
        text: str,
        parameters: Mapping[str, Any],
        *,
        max_items: int,
        continuation: str | None = None,
    ) -> Page:
        """Ask for the next page of a query; `text` is the app's own, never a caller's."""
        if isinstance(partition_key, Everybody):
            headers = {**self._query_headers, "x-ms-documentdb-query-enablecrosspartition": "True"}
        else:
            headers = await self._for_reading(self._query_headers, partition_key)
        headers["x-ms-max-item-count"] = str(max_items)
        if continuation:
            headers["x-ms-continuation"] = continuation
        named = [{"name": name, "value": value} for name, value in parameters.items()]
        body = {"query": text, "parameters": named}
        content, received = await self._send("POST", headers, body)
        found = _object(content).get("Documents")
        if not isinstance(found, list):
            raise UnreadableAnswer("cosmos answered a query without Documents")
        return Page(found, received.get("x-ms-continuation"))

    async def _for_reading(
        self, headers: dict[str, str], partition_key: str | None
    ) -> dict[str, str]:
        """Headers that ask for a state no older than what this client has seen."""
        headers = _for_partition(headers, partition_key)
        token = await sdk_internals.session_token(self._client, self._container, partition_key)
        if token:
            headers["x-ms-session-token"] = token
        return headers

    async def _send(
        self, method: str, headers: dict[str, str], body: Any, id_: str | None = None
    ) -> tuple[bytes, Mapping[str, str]]:
        """Send one request, and keep the session of its answer: the content and the headers."""
        content = None if body is None else to_json(body)
        if content and len(content) > MAX_BATCH_BYTES:
            raise BatchTooLarge(len(content))
        headers["x-ms-date"] = date = _date(int(time.time()))
        is_write = method == "PATCH" or "x-ms-cosmos-is-batch-request" in headers
        endpoint = (sdk_internals.write_endpoint if is_write else sdk_internals.read_endpoint)(
            self._client
        )
        url = f"{endpoint.rstrip('/')}/{self._path}" + (f"{id_}/" if id_ else "")
        if self._key:
            link = f"{self._container}/docs/{id_}" if id_ else self._container
            headers["Authorization"] = _signature(self._key, method, link, date)
        else:
            await sdk_internals.add_token(self._client, url, headers)
        try:
            answer, received = await self._transport.request(
                method, url, headers, content, check_certificate=_checks_certificate(endpoint)
            )
        except FailedAnswer as failure:
            self._record_session(headers, failure.headers)
            raise
        self._record_session(headers, received)
        return answer, received

    def _record_session(self, sent: dict[str, str], received: Mapping[str, str]) -> None:
        sdk_internals.record_session(self._client, self._container, sent, received)


_NO_JSON = "cosmos answered something that is no JSON; check COSMOS_ENDPOINT"


def _patch(changes: Mapping[str, Any], condition: str | None) -> Document:
    operations = [
        {"op": "set", "path": f"/{name}", "value": value} for name, value in changes.items()
    ]
    if condition is None:
        return {"operations": operations}
    return {"operations": operations, "condition": condition}


def _for_partition(headers: dict[str, str], partition_key: str | None) -> dict[str, str]:
    # Text by itself is encoded in a fifth of the time that a list with it takes.
    return {**headers, "x-ms-documentdb-partitionkey": f"[{json.dumps(partition_key)}]"}


def _batch_documents(
    results: Any, operations: Sequence[Document], headers: Mapping[str, str]
) -> list[Document | None]:
    """The documents of a batch's results. Raises FailedAnswer for the operation that failed."""
    if not isinstance(results, list) or len(results) != len(operations):
        raise UnreadableAnswer("cosmos answered a batch of another length")
    statuses = [_number(result, "statusCode") for result in results]
    for index, status in enumerate(statuses):
        if status >= 400 and status != _FAILED_DEPENDENCY:
            result = results[index]
            raise FailedAnswer(
                status,
                _number(result, "subStatusCode", 0),
                operation=index,
                headers=headers,
                retry_after_ms=_number(result, "retryAfterMilliseconds", DEFAULT_THROTTLE_MS),
            )
    if not all(200 <= status < 300 for status in statuses):
        raise UnreadableAnswer("cosmos answered a batch that failed without a reason")
    documents = [result.get("resourceBody") for result in results]
    for operation, document in zip(operations, documents, strict=True):
        # Taken for a document that is not there, or for ours, it would decide what became of a
        # write.
        if operation["operationType"] == "Read" and not _has_id(document, operation["id"]):
            raise UnreadableAnswer("cosmos answered a batch with another document")
    return documents


def _has_id(document: Any, id_: str) -> bool:
    return isinstance(document, dict) and document.get("id") == id_


def _number(result: Any, name: str, default: int | None = None) -> int:
    """What an operation's result says, rounded up; `default` where it is absent or null."""
    value = result.get(name) if isinstance(result, dict) else None
    if value is None:
        value = default
    if not isinstance(value, int | float):
        raise UnreadableAnswer(f"cosmos answered a batch without {name}")
    return math.ceil(value)


def _json(content: bytes) -> Any:
    try:
        # NaN and infinity are no JSON, which Python would read, and write again.
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise UnreadableAnswer(_NO_JSON) from error


def _object(content: bytes) -> Document:
    value = _json(content)
    if not isinstance(value, dict):
        raise UnreadableAnswer(_NO_JSON)
    return value


def _signature(key: bytes, method: str, link: str, date: str) -> str:
    """The master key signature.

    https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
    """
    text = f"{method.lower()}\ndocs\n{link}\n{date.lower()}\n\n"
    digest = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
    # Quoted, as all of `type=master&ver=1.0&sig=...` must be, and base64 has no more to quote.
    quoted = digest.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return f"type%3Dmaster%26ver%3D1.0%26sig%3D{quoted}"


@functools.lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


@functools.lru_cache(maxsize=8)
def _checks_certificate(endpoint: str) -> bool:
    return urlsplit(endpoint).hostname not in _LOCAL
