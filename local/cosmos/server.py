"""A stand-in for Cosmos DB: the part of its REST protocol that the SDK uses in this project.

A development tool: one container, http on loopback, no queries, no throttling, no regions. What it
does not speak it refuses with an error of Cosmos DB's shape instead of guessing. Request charges
are plausible constants, not measurements.
"""

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web

from local.cosmos.storage import Key, Storage, Stored

PARTITION_KEY = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}

# Vendor: Azure Cosmos DB service quotas.
MAX_ID_BYTES = 1_023
MAX_PARTITION_KEY_BYTES = 2_048
MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
MAX_PATCH_OPERATIONS = 10
MAX_CLOCK_SKEW = timedelta(minutes=15)

# Request units: reads from Microsoft's table, writes as of a document with one indexed property.
CHARGES = {"GET": "1", "POST": "7", "PATCH": "8", "DELETE": "7"}


class _Refusal(Exception):
    """An error answer: Cosmos DB's status, sub-status, code and message."""

    def __init__(self, status: int, code: str, message: str, sub_status: int = 0) -> None:
        self.status = status
        self.sub_status = sub_status
        self.body = {"code": code, "message": message}


def _bad_request(message: str, sub_status: int = 0) -> _Refusal:
    return _Refusal(400, "BadRequest", message, sub_status)


def _not_spoken(what: str) -> _Refusal:
    return _bad_request(f"The local Cosmos stand-in does not speak {what}.")


class CosmosEmulator:
    """Serves one account with one database and one container, which exist from the start."""

    def __init__(self, storage: Storage, *, key: str, database: str, container: str) -> None:
        self._storage = storage
        self._key = base64.b64decode(key)
        self._database = database
        self._container = container
        self._link = f"dbs/{database}/colls/{container}"
        digest = hashlib.sha256(self._link.encode()).digest()
        self._rid = base64.b64encode(digest[:8], altchars=b"+-").decode()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a server for aiohttp's `web.Server`."""
        try:
            # Every path of the protocol ends in a slash, and names arrive percent-encoded.
            parts = [unquote(part) for part in request.rel_url.raw_path.strip("/").split("/")]
            self._check_signature(request, parts)
            return self._answer(request, parts, await request.read())
        except _Refusal as refusal:
            return self._respond(
                refusal.status,
                refusal.body,
                {"x-ms-substatus": str(refusal.sub_status), "x-ms-request-charge": "1"},
            )

    def _answer(
        self, request: web.BaseRequest, parts: list[str], content: bytes
    ) -> web.StreamResponse:
        match request.method, parts:
            case "GET", [""]:
                return self._respond(200, self._account(f"http://{request.host}/"))
            case "GET", ["dbs", database] if database == self._database:
                return self._respond(200, {"id": database, "_rid": self._rid[:6]})
            case "GET", ["dbs", _]:
                raise _Refusal(404, "NotFound", "Resource Not Found.")
            case _, ["dbs", database, "colls", container, *rest] if (database, container) == (
                self._database,
                self._container,
            ):
                return self._in_container(request, rest, content)
            case _, ["dbs", _, "colls", _, *_]:
                raise _Refusal(404, "NotFound", "Owner resource does not exist", 1003)
        raise _not_spoken(f"{request.method} {request.path}")

    def _in_container(
        self, request: web.BaseRequest, rest: list[str], content: bytes
    ) -> web.StreamResponse:
        match request.method, rest:
            case "GET", []:
                return self._respond(200, self._collection())
            case "GET", ["pkranges"]:
                return self._partition_key_ranges(request)
            case "POST", ["docs"]:
                return self._create(request, content)
            case "GET" | "PATCH" | "DELETE", ["docs", id_]:
                return self._on_document(request, self._key_of(request, id_), content)
        raise _not_spoken(f"{request.method} {request.path}")

    def _create(self, request: web.BaseRequest, content: bytes) -> web.StreamResponse:
        for header in ("is-upsert", "isquery"):
            if request.headers.get(f"x-ms-documentdb-{header}", "").lower() == "true":
                raise _not_spoken(f"x-ms-documentdb-{header}")
        document = _json_object(content)
        key = self._key_of(request, document.get("id"))
        own = json.dumps([document.get("isolation_key", {})])
        if own != key.partition_key:
            raise _bad_request(
                "PartitionKey extracted from document doesn't match the one specified in the"
                " header.",
                1001,
            )
        with self._storage.transaction():
            if self._storage.get(key):
                raise _Refusal(
                    409, "Conflict", "Entity with the specified id already exists in the system."
                )
            stored = self._put(key, document)
        return self._document(201, request, stored)

    def _on_document(
        self, request: web.BaseRequest, key: Key, content: bytes
    ) -> web.StreamResponse:
        if request.method == "GET":
            stored = self._existing(key)
            if request.headers.get("If-None-Match") == _etag(stored):
                return self._respond(304, None, {"etag": _etag(stored), **self._session()})
            return self._document(200, request, stored)
        with self._storage.transaction():
            stored = self._existing(key)
            if request.headers.get("If-Match", "*") not in {"*", _etag(stored)}:
                raise _Refusal(
                    412,
                    "PreconditionFailed",
                    "One of the specified pre-condition is not met.",
                )
            if request.method == "DELETE":
                self._storage.remove(key)
                charge = {"x-ms-request-charge": CHARGES["DELETE"]}
                return self._respond(204, None, charge | self._session())
            stored = self._put(key, _patched(stored.body, _json_object(content)))
        return self._document(200, request, stored)

    def _existing(self, key: Key) -> Stored:
        stored = self._storage.get(key)
        if stored is None:
            raise _Refusal(
                404,
                "NotFound",
                "Entity with the specified id does not exist in the system.",
            )
        return stored

    def _put(self, key: Key, document: dict[str, Any]) -> Stored:
        document = {name: value for name, value in document.items() if not name.startswith("_")}
        document["_ts"] = int(datetime.now(UTC).timestamp())
        if len(json.dumps(document, ensure_ascii=False).encode()) > MAX_DOCUMENT_BYTES:
            raise _Refusal(413, "RequestEntityTooLarge", "Request size is too large.")
        return self._storage.put(key, document)

    def _key_of(self, request: web.BaseRequest, id_: Any) -> Key:
        header = request.headers.get("x-ms-documentdb-partitionkey")
        try:
            values = json.loads(header or "")
        except ValueError:
            values = None
        if not isinstance(values, list) or len(values) != 1 or isinstance(values[0], list):
            raise _bad_request("The partition key supplied in the header is missing or invalid.")
        if len(json.dumps(values[0], ensure_ascii=False).encode()) > MAX_PARTITION_KEY_BYTES:
            raise _bad_request("The partition key is longer than 2048 bytes.")
        if (
            not isinstance(id_, str)
            or not 0 < len(id_.encode()) <= MAX_ID_BYTES
            or any(character in id_ for character in "/\\?#")
        ):
            raise _bad_request("The input name is invalid: an id has 1 to 1023 bytes and no /\\?#.")
        return Key(self._link, json.dumps(values), id_)

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
            raise _Refusal(
                401,
                "Unauthorized",
                "The input authorization token can't serve the request. Check the key that the"
                " stand-in was started with (COSMOS_KEY) and the client's.",
            )
        try:
            skew = abs(datetime.now(UTC) - parsedate_to_datetime(date))
        except (ValueError, TypeError):
            skew = MAX_CLOCK_SKEW * 2
        if skew > MAX_CLOCK_SKEW:
            raise _Refusal(403, "Forbidden", "The date header is missing or off by 15 minutes.")

    def _account(self, url: str) -> dict[str, Any]:
        here = [{"name": "Local", "databaseAccountEndpoint": url}]
        return {
            "id": "local",
            "_rid": "local",
            "writableLocations": here,
            "readableLocations": here,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
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

    def _document(
        self, status: int, request: web.BaseRequest, stored: Stored
    ) -> web.StreamResponse:
        etag = _etag(stored)
        return self._respond(
            status,
            {**stored.body, "_etag": etag, "_self": f"dbs/local/colls/{self._rid}/docs/local/"},
            {"etag": etag, "x-ms-request-charge": CHARGES[request.method], **self._session()},
        )

    def _session(self) -> dict[str, str]:
        """The session token, and by which paths and range the SDK files it."""
        return {
            "x-ms-documentdb-partitionkeyrangeid": "0",
            "x-ms-session-token": f"0:-1#{self._storage.version}",
            "x-ms-alt-content-path": quote(self._link),
            "x-ms-content-path": self._rid,
        }

    def _respond(
        self, status: int, body: dict[str, Any] | None, headers: dict[str, str] | None = None
    ) -> web.StreamResponse:
        return web.Response(
            status=status,
            body=None if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={"x-ms-activity-id": str(uuid.uuid4()), **(headers or {})},
        )


def _etag(stored: Stored) -> str:
    return f'"{stored.version:032x}"'


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _bad_request("The request payload is no JSON object.")
    return value


def _patched(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The document after a patch, which consists of `set` alone."""
    operations = patch.get("operations")
    if "condition" in patch:
        raise _not_spoken("a patch condition")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_PATCH_OPERATIONS:
        raise _bad_request(f"A patch has 1 to {MAX_PATCH_OPERATIONS} operations.")
    for operation in operations:
        if not isinstance(operation, dict) or "value" not in operation:
            raise _bad_request("A patch operation has an op, a path and a value.")
        if operation.get("op") != "set":
            raise _not_spoken(f"the patch operation {operation.get('op')!r}")
        path = str(operation.get("path"))
        name = path.removeprefix("/")
        if path == name or "/" in name or "~" in name:
            raise _not_spoken(f"the patch path {path!r}")
        if name in {"id", "isolation_key"} or name.startswith("_"):
            raise _bad_request(f"The property {path} cannot be patched.")
        document = {**document, name: operation["value"]}
    return document
