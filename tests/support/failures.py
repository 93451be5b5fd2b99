"""What the contract promises a caller when the database fails, to compare an answer with."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tests.support.cosmos_wire import CosmosWire
from tests.support.injected_faults import SECRET
from tests.support.rest import Answer, Rest

# COSMOS_TIMEOUT_SECONDS of the app under test: short, because silence costs a test all of it.
BUDGET = 1.0
# What a request may take beyond its budget (docs/reliability.md#the-promise).
GRACE = 0.5


@dataclass(frozen=True)
class Failure:
    """A row of docs/contract.md#failures-of-the-database, all but its message."""

    status: int
    code: str | None
    type: str = "server_error"
    retry_after: str | None = None
    retry_after_ms: str | None = None
    should_retry: str | None = None

    def not_again(self) -> "Failure":
        """The same, for a write that must not be repeated blindly."""
        if self.status not in {500, 504}:
            return self
        return replace(self, retry_after=None, should_retry="false")


INTERNAL = Failure(500, "internal_error")
UNAVAILABLE = Failure(503, "service_unavailable", retry_after="1")
TIMEOUT = Failure(504, "timeout", retry_after="1")
NOT_FOUND = Failure(404, None, "invalid_request_error")
TOO_LARGE = Failure(413, "request_too_large", "invalid_request_error")
FULL = Failure(400, "storage_limit_exceeded", "invalid_request_error")
# Of a write that must not be repeated blindly: it may have been done.
UNKNOWN = TIMEOUT.not_again()


def throttled(milliseconds: int, seconds: int) -> Failure:
    """429, with the database's own wait in both units."""
    return Failure(429, "rate_limit_exceeded", "rate_limit_error", str(seconds), str(milliseconds))


def assert_fails(answer: Answer, expected: Failure) -> None:
    """The answer is this failure, whole, and gives nothing away."""
    assert answer.status == expected.status, answer
    error = dict(answer.error)
    message = error.pop("message")
    assert error == {"type": expected.type, "param": None, "code": expected.code}
    assert isinstance(message, str)
    assert message
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["openai-processing-ms"].isdecimal()
    request_id = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", request_id)
    assert answer.headers.get("retry-after") == expected.retry_after
    assert answer.headers.get("retry-after-ms") == expected.retry_after_ms
    assert answer.headers.get("x-should-retry") == expected.should_retry
    if expected.status == INTERNAL.status:
        assert request_id in message
    everything = f"{answer.headers} {answer.body!r}".lower()
    for inner in (SECRET, "cosmos", "azure", "traceback", "127.0.0.1"):
        assert inner not in everything


@contextmanager
def within_budget(budget: float = BUDGET) -> Iterator[None]:
    """The block takes no longer than a request may."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started <= budget + GRACE


def assert_serves(rest: Rest, wire: CosmosWire, conversation_id: str) -> None:
    """The whole database is back: an update is one PATCH again, and it is kept."""
    wire.reset()

    with within_budget():
        answer = rest.update(conversation_id, {"metadata": {"n": "served"}})

    assert answer.status == 200, answer
    assert len(wire.documents("PATCH")) == 1
    assert rest.retrieve(conversation_id).json()["metadata"] == {"n": "served"}
