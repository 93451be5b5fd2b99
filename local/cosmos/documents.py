"""What can be done to the documents of the stand-in's container: one by one, or in a batch.

Every write is called inside a transaction of the storage, but for a batch, which is one. Knows what
Cosmos DB refuses; no HTTP and no queries.
"""

import json
import math
from collections.abc import Callable
from typing import Any

from local.cosmos.refusal import Refusal, bad_request, not_spoken, too_large
from local.cosmos.sql import SqlError, parse_condition
from local.cosmos.storage import Key, Storage, Stored

# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits and
# https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch#limitations
MAX_ID_BYTES = 1_023
MAX_PARTITION_KEY_BYTES = 2_048
MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
MAX_NESTING = 128
MAX_TTL_SECONDS = 2**31 - 1  # https://learn.microsoft.com/azure/cosmos-db/time-to-live
MAX_PATCH_OPERATIONS = 10
MAX_BATCH_OPERATIONS = 100
MAX_BATCH_BYTES = 2 * 1024 * 1024

# Request units: a read from Microsoft's table, writes as of a document with one indexed property.
CHARGES = {"Read": 1, "Create": 7, "Patch": 8, "Delete": 7}
REFUSAL_CHARGE = 1


class Documents:
    """The documents of one container."""

    def __init__(self, storage: Storage, container: str) -> None:
        self._storage = storage
        self._container = container

    def create(self, partition_key: str, document: dict[str, Any]) -> Stored:
        """Store a document that is not there yet. Raises Refusal, as all of these do."""
        key = self._key(partition_key, document.get("id"))
        if json.dumps([document.get("isolation_key", {})]) != partition_key:
            raise bad_request(
                "PartitionKey extracted from document doesn't match the one specified in the"
                " header.",
                1001,
            )
        if self._storage.get(key):
            raise Refusal(
                409, "Conflict", "Entity with the specified id already exists in the system."
            )
        return self._put(key, document)

    def read(self, partition_key: str, id_: Any, as_of: int | None = None) -> Stored:
        """The document, or a 404."""
        stored = self._storage.get(self._key(partition_key, id_), as_of)
        if stored is None:
            raise Refusal(
                404, "NotFound", "Entity with the specified id does not exist in the system."
            )
        return stored

    def patch(
        self, partition_key: str, id_: Any, patch: dict[str, Any], if_match: str | None
    ) -> Stored:
        """Set properties of a document, if the patch's condition holds."""
        stored = self._matching(partition_key, id_, if_match)
        if not _holds(patch.get("condition"), stored):
            raise _precondition_failed()
        return self._put(self._key(partition_key, id_), _patched(stored.body, patch))

    def delete(self, partition_key: str, id_: Any, if_match: str | None) -> None:
        """Remove a document."""
        self._matching(partition_key, id_, if_match)
        self._storage.remove(self._key(partition_key, id_))

    def batch(self, partition_key: str, operations: Any) -> tuple[int, list[dict[str, Any]]]:
        """Do all of the operations, or none. Returns the status and a result for each.

        200: done. 207: not done; the one that failed has its status, all others 424. Raises Refusal
        where the batch itself is wrong.
        """
        steps = [self._step(partition_key, one) for one in _operations(operations)]
        results: list[dict[str, Any]] = []
        try:
            with self._storage.transaction():
                results.extend(step() for step in steps)
        except Refusal as refusal:
            answers = [{"statusCode": 424, "requestCharge": 0} for _ in steps]
            answers[len(results)] = {
                "statusCode": refusal.status,
                **({"subStatusCode": refusal.sub_status} if refusal.sub_status else {}),
                "requestCharge": REFUSAL_CHARGE,
            }
            return 207, answers
        return 200, results

    def _step(self, partition_key: str, operation: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        """One operation of a batch, ready to be done."""
        kind, id_ = operation.get("operationType"), operation.get("id")
        if_match = operation.get("ifMatch")
        body = operation.get("resourceBody", {})
        for name in operation.keys() - {"operationType", "id", "resourceBody", "ifMatch"}:
            raise not_spoken(f"the member {name!r} of a batch operation")
        if not isinstance(if_match, str | None):
            raise bad_request("ifMatch is an ETag.")
        if not isinstance(body, dict):
            raise bad_request("A resourceBody is an object.")

        def step() -> dict[str, Any]:
            match kind:
                case "Create":
                    return _result(201, "Create", self.create(partition_key, body))
                case "Read":
                    return _result(200, "Read", self._matching(partition_key, id_, if_match))
                case "Patch":
                    patched = self.patch(partition_key, id_, body, if_match)
                    return _result(200, "Patch", patched)
            self.delete(partition_key, id_, if_match)
            return {"statusCode": 204, "requestCharge": CHARGES["Delete"]}

        if kind not in CHARGES:
            raise not_spoken(f"the batch operation {kind!r}")
        return step

    def _matching(self, partition_key: str, id_: Any, if_match: str | None) -> Stored:
        stored = self.read(partition_key, id_)
        if if_match not in {None, "*", stored.etag}:
            raise _precondition_failed()
        return stored

    def _put(self, key: Key, document: dict[str, Any]) -> Stored:
        document = {name: value for name, value in document.items() if not name.startswith("_")}
        ttl, sort_key = document.get("ttl"), document.get("sort_key", "")
        if ttl is not None and not (type(ttl) is int and (ttl == -1 or 0 < ttl <= MAX_TTL_SECONDS)):
            raise bad_request(f"The input ttl {json.dumps(ttl)[:100]} is invalid.")
        if not isinstance(sort_key, str):
            raise not_spoken("a sort_key that is no string")
        _check_size(document)
        return self._storage.put(key, document)

    def _key(self, partition_key: str, id_: Any) -> Key:
        if (
            not isinstance(id_, str)
            or not 0 < len(id_.encode()) <= MAX_ID_BYTES
            or any(character in id_ for character in "/\\?#")
        ):
            raise bad_request("The input name is invalid: an id has 1 to 1023 bytes and no /\\?#.")
        return Key(self._container, partition_key, id_)


def rendered(stored: Stored) -> dict[str, Any]:
    """The document as Cosmos DB shows it, with the properties of the system."""
    return {**stored.body, "_etag": stored.etag, "_self": "dbs/local/colls/local/docs/local/"}


def parse_json(content: bytes | str) -> Any:
    """What the content says. Raises Refusal for what is no JSON that Cosmos DB takes."""
    try:
        return _DECODER.decode(content.decode() if isinstance(content, bytes) else content)
    except ValueError:
        raise bad_request("The request payload is no JSON.") from None


def parse_object(content: bytes) -> dict[str, Any]:
    """The same for an object."""
    value = parse_json(content)
    if not isinstance(value, dict):
        raise bad_request("The request payload is no JSON object.")
    return value


def parse_partition_key(header: str | None) -> str:
    """The partition key of a request's header, in the form of `storage.Key`."""
    values = parse_json(header or "null")
    if (
        not isinstance(values, list)
        or len(values) != 1
        or isinstance(values[0], list)
        or (isinstance(values[0], dict) and values[0])
    ):
        raise bad_request("The partition key supplied in the header is missing or invalid.")
    if len(json.dumps(values[0], ensure_ascii=False).encode()) > MAX_PARTITION_KEY_BYTES:
        raise bad_request("The partition key is longer than 2048 bytes.")
    return json.dumps(values)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _operations(batch: Any) -> list[dict[str, Any]]:
    if not isinstance(batch, list) or not all(isinstance(one, dict) for one in batch):
        raise bad_request("A batch is an array of operations.")
    if not 1 <= len(batch) <= MAX_BATCH_OPERATIONS:
        raise bad_request(f"A batch has 1 to {MAX_BATCH_OPERATIONS} operations.")
    return batch


def _result(status: int, kind: str, stored: Stored) -> dict[str, Any]:
    return {
        "statusCode": status,
        "requestCharge": CHARGES[kind],
        "eTag": stored.etag,
        "resourceBody": rendered(stored),
    }


def _precondition_failed() -> Refusal:
    return Refusal(412, "PreconditionFailed", "One of the specified pre-condition is not met.")


def _check_size(document: dict[str, Any]) -> None:
    # Each measure is cheap; what it costs to be exact is spent on what may be too much.
    text = json.dumps(document)
    if len(text) > MAX_DOCUMENT_BYTES:
        exact = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        if len(exact.encode()) > MAX_DOCUMENT_BYTES:
            raise too_large()
    if text.count("{") + text.count("[") > MAX_NESTING:
        level: list[Any] = [document]
        for _ in range(MAX_NESTING):
            level = [inner for outer in level for inner in _children(outer)]
        if level:
            raise bad_request(f"The document is nested over {MAX_NESTING} levels deep.")


def _children(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value
    return [one for one in inner if isinstance(one, dict | list)]


def _holds(condition: Any, stored: Stored) -> bool:
    if condition is None:
        return True
    if not isinstance(condition, str):
        raise bad_request("A patch condition is a string.")
    try:
        return parse_condition(condition).evaluate(rendered(stored), {}) is True
    except SqlError as error:
        raise bad_request(f"The patch condition is invalid: {error}") from None


def _patched(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The document after a patch, which consists of `set` alone."""
    operations = patch.get("operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_PATCH_OPERATIONS:
        raise bad_request(f"A patch has 1 to {MAX_PATCH_OPERATIONS} operations.")
    document = dict(document)
    for operation in operations:
        if not isinstance(operation, dict) or "value" not in operation:
            raise bad_request("A patch operation has an op, a path and a value.")
        if operation.get("op") != "set":
            raise not_spoken(f"the patch operation {operation.get('op')!r}")
        path = str(operation.get("path"))
        name = path.removeprefix("/")
        if path == name or not name or "/" in name or "~" in name:
            raise not_spoken(f"the patch path {path!r}")
        if name in {"id", "isolation_key"} or name.startswith("_"):
            raise bad_request(f"The property {path} cannot be patched.")
        document[name] = operation["value"]
    return document
