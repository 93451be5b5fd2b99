"""Calls of the API as a schedule makes them, and what became of each."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func

from conversations.api.edge import Trigger, answered
from conversations.app import ROUTES, Parts
from local.functions import Context
from tests.proof.network import Commit, sender

USER = "somebody"
PARTITION = json.dumps([USER])
BASE = "/openai/v1"
MERGE = "application/merge-patch+json"


@dataclass(eq=False)
class Call:
    """What a caller wants done once, however often his client has to try.

    `calm`: nothing happens to its requests, as if in a quiet moment between two others.
    """

    kind: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    calm: bool = False
    conversation_id: str | None = None
    """What it is about; None for a create."""
    item_id: str | None = None
    by_client: bool = False
    """Whether the official client makes it."""
    skew: int = 0
    """Microseconds that the clock of whoever serves it is ahead."""
    tries: list["Try"] = field(default_factory=list)

    def __repr__(self) -> str:
        target = self.item_id or (self.conversation_id or "")[-6:]
        headers = {name: value for name, value in self.headers.items() if name != ISOLATION}
        return f"{self.kind} {target} {headers} {self.tries}"

    @property
    def key(self) -> str | None:
        """Its Idempotency-Key."""
        return self.headers.get("Idempotency-Key")

    @property
    def if_match(self) -> str | None:
        """Its If-Match."""
        return self.headers.get("If-Match")

    @property
    def variant(self) -> str:
        """Its kind, and whether a key or a condition guards it."""
        return self.kind + (", key" if self.key else "") + (", condition" if self.if_match else "")

    @property
    def is_create(self) -> bool:
        """Whether it makes something new with every repetition."""
        return self.kind in {"create", "append"}

    @property
    def must_not_be_repeated(self) -> bool:
        """Whether a blind repetition could do harm (docs/contract.md#unknown-outcome)."""
        return self.key is None if self.is_create else self.if_match is not None

    def asks_the_same(self, other: "Call") -> bool:
        """Whether the other is a repetition of it, as Idempotency-Key understands it."""
        mine, theirs = (
            (one.path, one.key, json.dumps(one.body or {}, sort_keys=True)) for one in (self, other)
        )
        return mine == theirs

    def is_its_write(self, commit: Commit) -> bool:
        """Whether a commit is what it asked for, and not the clearing up after it."""
        match self.kind:
            case "create":
                return bool(commit.created("conversation"))
            case "append":
                return bool(commit.created("item"))
            case "update" | "merge":
                return commit.patched("version") is not None
            case "delete":
                return bool(commit.created("deletion"))
        return bool(commit.of("Delete"))


ISOLATION = "x-ms-user-isolation-key"


@dataclass(eq=False)
class Try:
    """One request of a call, and its answer. `begun`, `ended`: how many commits there were.

    `befallen`: what happened to its requests to the database, in words. `unforeseen`: what was
    raised that nobody had thought of, and became a 500.
    """

    call: Call
    begun: int
    seconds: float = 0.0
    ended: int = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    befallen: list[str] = field(default_factory=list)
    unforeseen: BaseException | None = None

    def __repr__(self) -> str:
        code = self.json["error"]["code"] if self.status >= 400 else ""
        return f"[{self.begun}..{self.ended}: {self.status} {code}]"

    @property
    def replayed(self) -> bool:
        """Whether the answer says that an earlier request made it."""
        return self.headers.get("idempotent-replayed") == "true"


class Host:
    """An instance of the app: its operations behind its own edge, without a web server."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._routes: list[tuple[str, re.Pattern[str], str, Trigger]] = []
        for route in ROUTES:
            handler = parts.operations[route.operation]
            trigger = answered(route.operation, handler, repeatable=route.repeatable)
            pattern = re.compile("/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.template))
            self._routes.append((route.method, pattern, route.operation, trigger))

    async def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> func.HttpResponse:
        """What the app answers."""
        for known, pattern, name, trigger in self._routes:
            matched = pattern.fullmatch(path.partition("?")[0])
            if known == method and matched:
                request = func.HttpRequest(
                    method=method,
                    url=f"http://localhost{path}",
                    headers={name.lower(): value for name, value in headers.items()},
                    route_params=matched.groupdict(),
                    body=body,
                )
                return await trigger(request, Context(name))
        raise AssertionError((method, path))

    async def attempt(self, attempt: Try, headers: dict[str, str], body: bytes) -> None:
        """Send one request of a call, in the caller's name, and note the answer."""
        sender.set(attempt)
        response = await self.answer(attempt.call.method, attempt.call.path, headers, body)
        attempt.status = response.status_code
        attempt.headers = {name.lower(): value for name, value in response.headers.items()}
        content = response.get_body()
        attempt.json = json.loads(content) if content else None


def create(items: list[dict[str, Any]], metadata: dict[str, str], **headers: str) -> Call:
    """Create a conversation."""
    body = {"metadata": metadata, "items": items}
    return Call("create", "POST", f"{BASE}/conversations", body, _headers(headers))


def append(conversation_id: str, items: list[dict[str, Any]], **headers: str) -> Call:
    """Add items to a conversation."""
    path = f"{BASE}/conversations/{conversation_id}/items"
    call = Call("append", "POST", path, {"items": items}, _headers(headers))
    call.conversation_id = conversation_id
    return call


def update(conversation_id: str, metadata: dict[str, str], **headers: str) -> Call:
    """Replace the metadata."""
    return _on("update", "POST", conversation_id, {"metadata": metadata}, _headers(headers))


def merge(conversation_id: str, metadata: dict[str, str | None], **headers: str) -> Call:
    """Merge into the metadata."""
    sent = {**_headers(headers), "Content-Type": MERGE}
    return _on("merge", "POST", conversation_id, {"metadata": metadata}, sent)


def delete(conversation_id: str, **headers: str) -> Call:
    """Delete a conversation."""
    return _on("delete", "DELETE", conversation_id, None, _headers(headers))


def delete_item(conversation_id: str, item_id: str) -> Call:
    """Delete an item."""
    call = _on("delete_item", "DELETE", conversation_id, None, _headers({}))
    call.path += f"/items/{item_id}"
    call.item_id = item_id
    return call


def message(text: str, id_: str | None = None) -> dict[str, Any]:
    """An item of the smallest kind, with an id of the caller's own or without."""
    item = {"type": "message", "role": "user", "content": text}
    return {**item, "id": id_} if id_ else item


def _on(kind: str, method: str, id_: str, body: Any, headers: dict[str, str]) -> Call:
    path = f"{BASE}/conversations/{id_}"
    return Call(kind, method, path, body, headers, conversation_id=id_)


def _headers(given: dict[str, str]) -> dict[str, str]:
    names = {"key": "Idempotency-Key", "if_match": "If-Match"}
    named = {names[name]: value for name, value in given.items()}
    return {ISOLATION: USER, "Content-Type": "application/json", **named}
