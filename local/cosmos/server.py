"""A stand-in for Cosmos DB: the part of its REST protocol that the SDK and the app use.

A development tool: one container, http on loopback, one physical partition, no throttling, no
regions. What it does not speak it refuses with an error of Cosmos DB's shape instead of guessing.
Request charges are plausible constants, not measurements. This module is HTTP and who may come in;
`documents` and `queries` do the work.
"""

import base64
import hashlib
import hmac
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web

from local.cosmos.documents import (
    CHARGES,
    MAX_BATCH_BYTES,
    REFUSAL_CHARGE,
    Documents,
    parse_json,
    parse_object,
    parse_partition_key,
    rendered,
)
from local.cosmos.queries import Page, Statement
from local.cosmos.refusal import Refusal, bad_request, not_spoken, too_large
from local.cosmos.storage import Storage, Stored

PARTITION_KEY = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}

MAX_CLOCK_SKEW = timedelta(minutes=15)

DEFAULT_PAGE_SIZE = 100
DYNAMIC_PAGE_SIZE = 1_000  # what -1 asks for

# In the write region, where this is, these two show every write:
# https://learn.microsoft.com/azure/cosmos-db/consistency-levels
STRONG_LEVELS = {"Strong", "BoundedStaleness"}

_SESSION_TOKEN = re.compile(r"(?:^|,)0:-1#([0-9]{1,18})(?:$|[#,])")


_Answer = tuple[int, Any, dict[str, str]]


class CosmosEmulator:
    """Serves one account with one database and one container, which exist from the start.

    `consistency` is the account's default level. `page_limit`, to be changed at any time, ends a
    page of a query after so many documents were touched: pages come back short and empty.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        key: str,
        database: str,
        container: str,
        consistency: str = "Session",
    ) -> None:
        self.page_limit: int | None = None
        self.consistency = consistency
        self._storage = storage
        self._key = base64.b64decode(key)
        self._database = database
        self._container = container
        self._link = f"dbs/{database}/colls/{container}"
        self._documents = Documents(storage, self._link)
        digest = hashlib.sha256(self._link.encode()).digest()
        self._rid = base64.b64encode(digest[:8], altchars=b"+-").decode()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a server for aiohttp's `web.Server`."""
        try:
            # Every path of the protocol ends in a slash, and names arrive percent-encoded.
            parts = [unquote(part) for part in request.rel_url.raw_path.strip("/").split("/")]
            self._check_signature(request, parts)
            return self._answer(request, parts, await request.read())
        except Refusal as refusal:
            return self._refuse(refusal)
        except UnicodeError:
            return self._refuse(bad_request("The request has text that is no Unicode."))
        except RecursionError:
            return self._refuse(bad_request("The request payload is nested too deeply."))

    def _answer(
        self, request: web.BaseRequest, parts: list[str], content: bytes
    ) -> web.StreamResponse:
        match request.method, parts:
            case "GET", [""]:
                return self._respond(200, self._account(f"http://{request.host}/"))
            case "GET", ["dbs", database] if database == self._database:
                return self._respond(200, {"id": database, "_rid": self._rid[:6]})
            case "GET", ["dbs", _]:
                raise Refusal(404, "NotFound", "Resource Not Found.")
            case _, ["dbs", database, "colls", container, *rest] if (database, container) == (
                self._database,
                self._container,
            ):
                return self._in_container(request, rest, content)
            case _, ["dbs", _, "colls", _, *_]:
                raise Refusal(404, "NotFound", "Owner resource does not exist", 1003)
        raise not_spoken(f"{request.method} {request.path}")

    def _in_container(
        self, request: web.BaseRequest, rest: list[str], content: bytes
    ) -> web.StreamResponse:
        match request.method, rest:
            case "GET", []:
                return self._respond(200, self._collection())
            case "GET", ["pkranges"]:
                return self._partition_key_ranges(request)
            case _, ["docs", *which]:
                return self._on_documents(request, which, content)
        raise not_spoken(f"{request.method} {request.path}")

    def _on_documents(
        self, request: web.BaseRequest, which: list[str], content: bytes
    ) -> web.StreamResponse:
        as_of = None
        try:
            match request.method, which:
                case "POST", [] if _is_true(request, "x-ms-documentdb-isquery"):
                    as_of = self._snapshot(request)
                    status, body, headers = self._query(request, content, as_of)
                case "POST", [] if _is_true(request, "x-ms-cosmos-is-batch-request"):
                    status, body, headers = self._batch(request, content)
                case "POST", []:
                    status, body, headers = self._create(request, content)
                case "GET", [id_]:
                    as_of = self._snapshot(request)
                    status, body, headers = self._read(request, id_, as_of)
                case "PATCH" | "DELETE", [id_]:
                    status, body, headers = self._write(request, id_, content)
                case _:
                    raise not_spoken(f"{request.method} {request.path}")
        except Refusal as refusal:
            return self._refuse(refusal, self._session(as_of))
        return self._respond(status, body, headers | self._session(as_of))

    def _create(self, request: web.BaseRequest, content: bytes) -> _Answer:
        for header in ("x-ms-documentdb-is-upsert", "x-ms-cosmos-is-query-plan-request"):
            if _is_true(request, header):
                raise not_spoken(header)
        document, partition_key = parse_object(content), _partition_key(request)
        with self._storage.transaction():
            stored = self._documents.create(partition_key, document)
        return 201, rendered(stored), _about(stored, "Create")

    def _read(self, request: web.BaseRequest, id_: str, as_of: int | None) -> _Answer:
        stored = self._documents.read(_partition_key(request), id_, as_of)
        headers = _about(stored, "Read")
        if request.headers.get("If-None-Match") == stored.etag:
            return 304, None, headers
        return 200, rendered(stored), headers

    def _write(self, request: web.BaseRequest, id_: str, content: bytes) -> _Answer:
        partition_key, if_match = _partition_key(request), request.headers.get("If-Match")
        if request.method == "DELETE":
            with self._storage.transaction():
                self._documents.delete(partition_key, id_, if_match)
            return 204, None, {"x-ms-request-charge": str(CHARGES["Delete"])}
        patch = parse_object(content)
        with self._storage.transaction():
            stored = self._documents.patch(partition_key, id_, patch, if_match)
        return 200, rendered(stored), _about(stored, "Patch")

    def _batch(self, request: web.BaseRequest, content: bytes) -> _Answer:
        if not _is_true(request, "x-ms-cosmos-batch-atomic"):
            raise not_spoken("a batch that is not atomic")
        if _is_true(request, "x-ms-cosmos-batch-continue-on-error"):
            raise not_spoken("x-ms-cosmos-batch-continue-on-error")
        if len(content) > MAX_BATCH_BYTES:
            raise too_large()
        status, results = self._documents.batch(_partition_key(request), parse_json(content))
        charge = sum(result["requestCharge"] for result in results)
        return status, results, {"x-ms-request-charge": str(charge)}

    def _query(self, request: web.BaseRequest, content: bytes, as_of: int | None) -> _Answer:
        if request.content_type != "application/query+json":
            raise not_spoken(f"a query of the type {request.content_type}")
        statement = Statement.parse(parse_object(content))
        page = statement.run(
            self._storage,
            self._link,
            partition_key=_scope(request, statement),
            continuation=request.headers.get("x-ms-continuation"),
            most_results=_page_size(request),
            most_touched=self.page_limit,
            as_of=as_of,
        )
        body = {"_rid": self._rid, "Documents": page.results, "_count": len(page.results)}
        return 200, body, _about_page(page)

    def _snapshot(self, request: web.BaseRequest) -> int | None:
        """What this read sees: as of an older transaction, or None, everything."""
        if self.consistency in STRONG_LEVELS:
            return None
        token = request.headers.get("x-ms-session-token")
        seen = _SESSION_TOKEN.search(token) if token else None
        if token and not seen:
            raise bad_request("The session token provided is invalid.")
        return self._storage.snapshot(at_least=int(seen[1]) if seen else 0)

    def _check_signature(self, request: web.BaseRequest, parts: list[str]) -> None:
        date = request.headers.get("x-ms-date", "")
        # A path with an odd number of parts ends in a resource type and means the parent's list.
        kind = parts[-1] if len(parts) % 2 else parts[-2]
        link = "/".join(parts[:-1] if len(parts) % 2 else parts)
        text = f"{request.method.lower()}\n{kind}\n{link}\n{date.lower()}\n\n"
        signature = hmac.digest(self._key, text.encode(), "sha256")
        token = f"type=master&ver=1.0&sig={base64.b64encode(signature).decode()}"
        sent = unquote(request.headers.get("Authorization", ""))
        if not hmac.compare_digest(sent.encode(), token.encode()):
            raise Refusal(
                401,
                "Unauthorized",
                "The input authorization token can't serve the request. Check the key that the"
                " stand-in was started with (COSMOS_KEY) and the client's.",
            )
        try:
            # Not the storage's clock: that one may be moved, the client's is the real one.
            skew = abs(datetime.now(UTC) - parsedate_to_datetime(date))
        except (ValueError, TypeError):
            skew = MAX_CLOCK_SKEW * 2
        if skew > MAX_CLOCK_SKEW:
            raise Refusal(403, "Forbidden", "The date header is missing or off by 15 minutes.")

    def _account(self, url: str) -> dict[str, Any]:
        here = [{"name": "Local", "databaseAccountEndpoint": url}]
        return {
            "id": "local",
            "_rid": "local",
            "writableLocations": here,
            "readableLocations": here,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": self.consistency},
        }

    def _collection(self) -> dict[str, Any]:
        return {
            "id": self._container,
            "_rid": self._rid,
            "_self": f"{self._link}/",
            "partitionKey": PARTITION_KEY,
        }

    def _partition_key_ranges(self, request: web.BaseRequest) -> web.StreamResponse:
        etag = '"1"'
        if request.headers.get("If-None-Match") == etag:
            return self._respond(304, None, {"etag": etag})
        only = {"_rid": self._rid, "id": "0", "minInclusive": "", "maxExclusive": "FF"}
        body = {"_rid": self._rid, "PartitionKeyRanges": [only], "_count": 1}
        return self._respond(200, body, {"etag": etag})

    def _session(self, as_of: int | None) -> dict[str, str]:
        """The session token, and by which paths and range the SDK files it."""
        lsn = self._storage.lsn() if as_of is None else as_of
        return {
            "x-ms-documentdb-partitionkeyrangeid": "0",
            "x-ms-session-token": f"0:-1#{lsn}",
            "x-ms-alt-content-path": quote(self._link),
            "x-ms-content-path": self._rid,
        }

    def _refuse(
        self, refusal: Refusal, session: dict[str, str] | None = None
    ) -> web.StreamResponse:
        headers = {
            "x-ms-substatus": str(refusal.sub_status),
            "x-ms-request-charge": str(REFUSAL_CHARGE),
        }
        return self._respond(refusal.status, refusal.body, headers | (session or {}))

    def _respond(
        self, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        return web.Response(
            status=status,
            body=None if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={"x-ms-activity-id": str(uuid.uuid4()), **(headers or {})},
        )


def _is_true(request: web.BaseRequest, header: str) -> bool:
    return request.headers.get(header, "").lower() == "true"


def _partition_key(request: web.BaseRequest) -> str:
    return parse_partition_key(request.headers.get("x-ms-documentdb-partitionkey"))


def _scope(request: web.BaseRequest, statement: Statement) -> str | None:
    """Whose documents a query is about: of one partition key, or None, everybody's."""
    if "x-ms-documentdb-partitionkey" in request.headers:
        return _partition_key(request)
    partition = request.headers.get("x-ms-documentdb-partitionkeyrangeid")
    if partition == "0":
        return None
    if partition is not None:
        raise Refusal(410, "Gone", "The requested partition key range is gone.", 1002)
    if not _is_true(request, "x-ms-documentdb-query-enablecrosspartition"):
        raise bad_request(
            "Cross partition query is required but disabled. Please set"
            " x-ms-documentdb-query-enablecrosspartition to true, specify"
            " x-ms-documentdb-partitionkey, or revise your query to avoid this exception."
        )
    if statement.query.order_by:
        # A client would now ask for a query plan and merge the partitions itself:
        # https://learn.microsoft.com/rest/api/cosmos-db/querying-cosmosdb-resources-using-the-rest-api
        raise bad_request(
            "The provided cross partition query can not be directly served by the gateway.", 1004
        )
    return None


def _page_size(request: web.BaseRequest) -> int:
    text = request.headers.get("x-ms-max-item-count", str(DEFAULT_PAGE_SIZE))
    if text == "-1":
        return DYNAMIC_PAGE_SIZE
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise bad_request("The value for x-ms-max-item-count is invalid.")
    return int(text)


def _about(stored: Stored, operation: str) -> dict[str, str]:
    return {"etag": stored.etag, "x-ms-request-charge": str(CHARGES[operation])}


def _about_page(page: Page) -> dict[str, str]:
    headers = {
        "x-ms-request-charge": str(page.charge),
        "x-ms-item-count": str(len(page.results)),
        "x-ms-documentdb-query-metrics": (
            f"retrievedDocumentCount={page.touched};retrievedDocumentSize={page.touched_bytes};"
            f"outputDocumentCount={len(page.results)}"
        ),
    }
    if page.continuation:
        headers["x-ms-continuation"] = page.continuation
    return headers
