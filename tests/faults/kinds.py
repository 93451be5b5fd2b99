"""Every kind of write and of read that the API has, each as one request on one user's data.

The user has one conversation, which has one item. What a write leaves is told as `state` reads it:
through the API, without ids.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest

MERGE = {"Content-Type": "application/merge-patch+json"}
KEY = {"Idempotency-Key": "once"}
AS_READ = {"If-Match": "{etag}"}
ANY = {"If-Match": "*"}

# What the user has: each conversation's metadata, and the texts of its items.
State = list[tuple[dict[str, str], list[str]]]

BEFORE: State = [({"n": "before"}, ["first"])]
NEW, NEW_WITH_ITEMS = ({"n": "new"}, list[str]()), ({"n": "new"}, ["a", "b"])


def message(text: str, **more: str) -> dict[str, Any]:
    """An item as a client sends it."""
    return {"role": "user", "content": [{"type": "input_text", "text": text}], **more}


@dataclass(frozen=True)
class Target:
    """A user whose data is `BEFORE`."""

    rest: Rest
    id: str
    etag: str
    item_id: str = "msg_first"

    @classmethod
    def of(cls, rest: Rest) -> "Target":
        """Make it, for a user who has nothing yet."""
        body = {"metadata": {"n": "before"}, "items": [message("first", id="msg_first")]}
        answer = rest.send("POST", CONVERSATIONS, json.dumps(body).encode(), JSON)
        assert answer.status == 200, answer
        return cls(rest, answer.json()["id"], answer.headers["etag"])


@dataclass(frozen=True)
class Kind:
    """A request, and what it asks of the database; in the words of `injected_faults.kind_of`."""

    name: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, target: Target) -> Answer:
        """Send it."""
        path = (CONVERSATIONS + self.path).format(id=target.id, item=target.item_id)
        headers = {name: value.format(etag=target.etag) for name, value in self.headers.items()}
        if self.body is None:
            return target.rest.send(self.method, path, headers=headers)
        content = json.dumps(self.body).encode()
        return target.rest.send(self.method, path, content, {**JSON, **headers})


@dataclass(frozen=True, kw_only=True)
class Write(Kind):
    """A write. `after`: what it leaves."""

    after: State
    repeatable: bool
    """Whether the caller may send it again blindly."""
    first: tuple[str, ...] = ()
    """What it asks before it writes."""
    not_there: int
    """How many looks show that it was not done."""
    there: int = 1
    """How many show that it was."""
    then: tuple[str, ...] = ()
    """What it asks when it is done."""


_CREATE = {"metadata": {"n": "new"}}
_CREATE_WITH_ITEMS = {**_CREATE, "items": [message("a"), message("b")]}
_APPEND = {"items": [message("a"), message("b")]}
_APPEND_OWN = {"items": [message("a", id="msg_a"), message("b", id="msg_b")]}
_UPDATE = {"metadata": {"n": "after"}}
_MERGE = {"metadata": {"m": "merged"}}
_APPENDED: State = [({"n": "before"}, ["first", "a", "b"])]
_UPDATED: State = [({"n": "after"}, ["first"])]
_MERGED: State = [({"n": "before", "m": "merged"}, ["first"])]
_PURGE = ("query", "write", "query")


def _create(name: str, body: Any, headers: dict[str, str], new: Any) -> Write:
    again = "Idempotency-Key" in headers
    after = [*BEFORE, new]
    looks = 1 if again else 2
    return Write(
        name, "POST", "", body, headers, after=after, repeatable=again, not_there=looks, there=1
    )


def _append(name: str, body: Any, headers: dict[str, str]) -> Write:
    again = "Idempotency-Key" in headers
    return Write(
        name, "POST", "/{id}/items", body, headers,
        after=_APPENDED, repeatable=again, not_there=2,
    )  # fmt: skip


def _update(name: str, headers: dict[str, str]) -> Write:
    return Write(
        name, "POST", "/{id}", _UPDATE, headers,
        after=_UPDATED, repeatable=not headers, not_there=1,
    )  # fmt: skip


def _merge(name: str, headers: dict[str, str]) -> Write:
    return Write(
        name, "POST", "/{id}", _MERGE, {**MERGE, **headers},
        after=_MERGED, repeatable=not headers, first=("look",), not_there=1,
    )  # fmt: skip


def _delete(name: str, headers: dict[str, str]) -> Write:
    return Write(
        name, "DELETE", "/{id}", None, headers,
        after=[], repeatable=not headers, not_there=1, there=2, then=_PURGE,
    )  # fmt: skip


WRITES = [
    _create("create", _CREATE, {}, NEW),
    _create("create with a key", _CREATE, KEY, NEW),
    _create("create with items", _CREATE_WITH_ITEMS, {}, NEW_WITH_ITEMS),
    _create("create with items and a key", _CREATE_WITH_ITEMS, KEY, NEW_WITH_ITEMS),
    _append("append", _APPEND, {}),
    _append("append of own ids", _APPEND_OWN, {}),
    _append("append with a key", _APPEND, KEY),
    _append("append of own ids with a key", _APPEND_OWN, KEY),
    _update("update", {}),
    _update("update as read", AS_READ),
    _update("update of any", ANY),
    _merge("merge", {}),
    _merge("merge as read", AS_READ),
    _merge("merge of any", ANY),
    _delete("delete", {}),
    _delete("delete as read", AS_READ),
    _delete("delete of any", ANY),
    Write(
        "delete item", "DELETE", "/{id}/items/{item}",
        after=[({"n": "before"}, [])], repeatable=True, not_there=2, there=2,
    ),
]  # fmt: skip

BY_NAME = {write.name: write for write in WRITES}

# Of each way to send a write and to recognise it, and of each that may be repeated or must not be.
WAYS = [
    BY_NAME[name]
    for name in (
        "create",
        "create with items and a key",
        "append of own ids",
        "append with a key",
        "update as read",
        "merge",
        "delete",
        "delete as read",
        "delete item",
    )
]


@dataclass(frozen=True, kw_only=True)
class Read(Kind):
    """A read. `asks`: what it asks of the database."""

    asks: tuple[str, ...]


READS = [
    Read("retrieve", "GET", "/{id}", asks=("read",)),
    Read("retrieve item", "GET", "/{id}/items/{item}", asks=("look",)),
    Read("list items", "GET", "/{id}/items", asks=("look", "query")),
    Read("list items after one", "GET", "/{id}/items?after={item}", asks=("look", "query")),
    Read("list conversations", "GET", "", asks=("query",)),
]


def state(rest: Rest) -> State:
    """What the user has, in the order of creation."""
    found: State = []
    for conversation in _list(rest, CONVERSATIONS):
        items = _list(rest, f"{CONVERSATIONS}/{conversation['id']}/items")
        texts = [item["content"][0]["text"] for item in items]
        found.append((conversation["metadata"], texts))
    return sorted(found, key=lambda one: one[0].get("n") == "new")


def _list(rest: Rest, path: str) -> list[dict[str, Any]]:
    answer = rest.send("GET", f"{path}?order=asc&limit=100")
    assert answer.status == 200, answer
    page: list[dict[str, Any]] = answer.json()["data"]
    return page
