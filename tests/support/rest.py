"""A plain HTTP client for the tests: sends what it is told to, byte for byte."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support import openapi

CONVERSATIONS = "/openai/v1/conversations"
JSON = {"Content-Type": "application/json"}


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

    def create(self, metadata: Any = None) -> dict[str, Any]:
        """Create a conversation that a test needs. Fails the test if that fails."""
        answer = self.send("POST", CONVERSATIONS, json.dumps({"metadata": metadata}).encode(), JSON)
        assert answer.status == 200, answer
        conversation = answer.json()
        assert isinstance(conversation, dict)
        return conversation

    def retrieve(self, conversation_id: str) -> Answer:
        """Retrieve a conversation."""
        return self.send("GET", f"{CONVERSATIONS}/{conversation_id}")

    def update(self, conversation_id: str, body: Any) -> Answer:
        """Update a conversation with a JSON body, or with bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", f"{CONVERSATIONS}/{conversation_id}", content, JSON)

    def delete(self, conversation_id: str) -> Answer:
        """Delete a conversation."""
        return self.send("DELETE", f"{CONVERSATIONS}/{conversation_id}")
