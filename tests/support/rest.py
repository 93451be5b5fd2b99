"""A plain HTTP client for the tests: sends what it is told to, byte for byte."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support import openapi

CONVERSATIONS = "/openai/v1/conversations"
JSON = {"Content-Type": "application/json"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Answer:
    """A response: status, headers by lower-case name, and the raw body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of an error body, which has no other key."""
        body = self.json()
        assert list(body) == ["error"]
        error = body["error"]
        assert isinstance(error, dict)
        return error

    @property
    def etag(self) -> str:
        """The version that the answer names, in its quotes."""
        return self.headers["etag"]

    @property
    def ids(self) -> list[str]:
        """The ids of the objects of a list."""
        return [one["id"] for one in self.json()["data"]]


@dataclass(frozen=True)
class Rest:
    """The API at one base URL, for one user, or for none if there is no `isolation_key`."""

    base_url: str
    isolation_key: str | None = None

    def as_user(self, isolation_key: str | None) -> "Rest":
        """The same API for another user."""
        return Rest(self.base_url, isolation_key)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> Answer:
        """Send one request on a connection of its own. `body` None: neither body nor length.

        Fails the test if openapi.json does not allow the answer.
        """
        sent = dict(headers or {})
        if self.isolation_key is not None:
            sent.setdefault("x-ms-user-isolation-key", self.isolation_key)
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=60)
        try:
            connection.request(
                method,
                path,
                body=[body or b""] if chunked else body,
                headers=sent,
                encode_chunked=chunked,
            )
            response = connection.getresponse()
            answer = Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()
        openapi.check(method, path, answer.status, answer.headers, answer.body)
        return answer

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a JSON body, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, content, {**JSON, **(headers or {})})

    def create(self, metadata: Any = None, items: Any = None) -> dict[str, Any]:
        """Create a conversation that a test needs. Fails the test if that fails."""
        body = {"metadata": metadata} if items is None else {"metadata": metadata, "items": items}
        conversation = ok(self.post(CONVERSATIONS, body))
        assert isinstance(conversation, dict)
        return conversation

    def retrieve(self, conversation_id: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Retrieve a conversation."""
        return self.send("GET", f"{CONVERSATIONS}/{conversation_id}", headers=headers)

    def update(
        self, conversation_id: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Update a conversation with a JSON body, or with bytes as they are."""
        return self.post(f"{CONVERSATIONS}/{conversation_id}", body, headers)

    def merge(
        self, conversation_id: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Update a conversation with a merge patch."""
        return self.update(conversation_id, body, {**MERGE_PATCH, **(headers or {})})

    def delete(self, conversation_id: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Delete a conversation."""
        return self.send("DELETE", f"{CONVERSATIONS}/{conversation_id}", headers=headers)

    def list_conversations(self, query: str = "") -> Answer:
        """List conversations; `query` without its question mark."""
        return self.send("GET", f"{CONVERSATIONS}?{query}" if query else CONVERSATIONS)

    def append(
        self, conversation_id: str, items: Any, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Create items, sent as the value of `items`."""
        return self.post(items_of(conversation_id), {"items": items}, headers)

    def add(self, conversation_id: str, *items: Any) -> list[dict[str, Any]]:
        """Create items that a test needs, in one call. Fails the test if that fails."""
        added = ok(self.append(conversation_id, items))["data"]
        assert isinstance(added, list)
        return added

    def list_items(self, conversation_id: str, query: str = "") -> Answer:
        """List items; `query` without its question mark."""
        path = items_of(conversation_id)
        return self.send("GET", f"{path}?{query}" if query else path)

    def all_items(self, conversation_id: str) -> list[dict[str, Any]]:
        """All items of a conversation, oldest first, page by page."""
        return [item for page in self.pages(conversation_id) for item in page.json()["data"]]

    def pages(self, conversation_id: str, query: str = "order=asc&limit=100") -> Iterator[Answer]:
        """The pages of a list of items as clients read them: by `after` while there is more."""
        cursor = ""
        while True:
            page = self.list_items(conversation_id, query + cursor)
            yield page
            if not ok(page)["has_more"]:
                return
            cursor = f"&after={page.json()['last_id']}"

    def retrieve_item(self, conversation_id: str, item_id: str) -> Answer:
        """Retrieve an item."""
        return self.send("GET", f"{items_of(conversation_id)}/{item_id}")

    def delete_item(self, conversation_id: str, item_id: str) -> Answer:
        """Delete an item."""
        return self.send("DELETE", f"{items_of(conversation_id)}/{item_id}")


def items_of(conversation_id: str) -> str:
    """The path of a conversation's items."""
    return f"{CONVERSATIONS}/{conversation_id}/items"


def message(text: str = "hi", **others: Any) -> dict[str, Any]:
    """The item that most clients send: a user's message."""
    return {"role": "user", "content": text, **others}


def ok(answer: Answer) -> Any:
    """The JSON of a 200 with the headers of every response."""
    assert answer.status == 200, answer
    assert_usual_headers(answer)
    return answer.json()


def assert_usual_headers(answer: Answer) -> None:
    """Fail unless the headers are there that every response has (docs/contract.md#headers)."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", answer.headers["x-request-id"])
