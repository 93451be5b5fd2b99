"""The database answers, but not with a conversation: the contract's table, row by row.

docs/contract.md#failures-of-the-database. Each row: what the caller gets, how often the app asked,
that it kept to its budget, and that the next request is served as if nothing had been.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    BUDGET,
    INTERNAL,
    NOT_FOUND,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    assert_fails,
    assert_serves,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    answers,
    breaks_off,
    drips,
    first,
    in_turn,
    only,
    patches,
    resets,
    says,
    says_document,
    silent,
    slow,
    throttles,
)
from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest
from tests.support.servers import serve_host


@pytest.fixture(scope="module")
def wired_url(wire: CosmosWire) -> Iterator[str]:
    """A host with a short budget whose Cosmos DB is `wire`."""
    with serve_host(wire.url, COSMOS_TIMEOUT_SECONDS=str(BUDGET)) as server:
        yield server.url


# The database's answer to every PATCH, the app's answer, and how many PATCHes that takes.
LASTING: dict[str, tuple[Fault, Failure, int]] = {
    "400": (answers(400), INTERNAL, 1),
    "401": (answers(401), INTERNAL, 1),
    "403": (answers(403), INTERNAL, 1),
    "403/3 writes are elsewhere": (answers(403, 3), UNAVAILABLE, 1),
    "403/1008 the account is elsewhere": (answers(403, 1008), UNAVAILABLE, 1),
    "403/5300 no data action": (answers(403, 5300), INTERNAL, 1),
    "404 no such document": (answers(404), NOT_FOUND, 1),
    "404/1002 the session is not there yet": (answers(404, 1002), UNAVAILABLE, 1),
    "404/1003 no such container": (answers(404, 1003), INTERNAL, 1),
    "405": (answers(405), INTERNAL, 1),
    "408": (answers(408), UNAVAILABLE, 1),
    "409": (answers(409), INTERNAL, 1),
    "410": (answers(410), UNAVAILABLE, 1),
    "410/1000 the names are stale": (answers(410, 1000), UNAVAILABLE, 1),
    "410/1002 the partition is gone": (answers(410, 1002), UNAVAILABLE, 1),
    "410/1007 the partition splits": (answers(410, 1007), UNAVAILABLE, 1),
    "410/1008 the partition moves": (answers(410, 1008), UNAVAILABLE, 1),
    "412": (answers(412), INTERNAL, 1),
    "413": (answers(413), INTERNAL, 1),
    "429 with a wait inside the budget": (throttles(100), throttled(100, 1), 2),
    "429 with no wait": (throttles(0), throttled(0, 0), 2),
    "429 with two waits that overrun": (throttles(600), throttled(600, 1), 2),
    "429 with a wait beyond the budget": (throttles(1500), throttled(1500, 2), 1),
    "429 with a long wait": (throttles(10_000), throttled(10_000, 10), 1),
    "429 with a fraction": (throttles("99.5"), throttled(100, 1), 2),
    "429 that names no wait": (answers(429), throttled(1000, 1), 1),
    "429 with a wait that is no number": (throttles("soon"), throttled(1000, 1), 1),
    "449": (answers(449), UNAVAILABLE, 2),
    "500": (answers(500), UNAVAILABLE, 1),
    "502": (answers(502), UNAVAILABLE, 1),
    "503": (answers(503), UNAVAILABLE, 2),
    "503/21008": (answers(503, 21008), UNAVAILABLE, 2),
    "504": (answers(504), UNAVAILABLE, 1),
    "a sub-status that is no number": (
        answers(503, headers={"x-ms-substatus": "?"}),
        UNAVAILABLE,
        2,
    ),
    "503, then 429": (in_turn(answers(503), throttles(100)), throttled(100, 1), 2),
    "429, then 401": (in_turn(throttles(100), answers(401)), INTERNAL, 2),
    "449, then silence": (in_turn(answers(449), silent), TIMEOUT, 2),
    "silence": (silent, TIMEOUT, 1),
    "a drip": (drips, TIMEOUT, 1),
    "slower than the budget": (slow(BUDGET + 0.3), TIMEOUT, 1),
    "malformed JSON": (says(b'{"id": oops}'), INTERNAL, 1),
    "truncated JSON": (says(b'{"id": "conv_1", "metadata": {'), INTERNAL, 1),
    "HTML": (says(b"<html></html>"), INTERNAL, 1),
    "no UTF-8": (says(b'{"id": "\xff"}'), INTERNAL, 1),
    "no body": (says(b""), INTERNAL, 1),
    "null": (says(b"null"), INTERNAL, 1),
    "an array": (says(b"[]"), INTERNAL, 1),
    "a string": (says(b'"conversation"'), INTERNAL, 1),
    "a redirect": (says(b"", status=302, headers={"Location": "/"}), INTERNAL, 1),
}


@pytest.mark.parametrize(("fault", "expected", "sent"), LASTING.values(), ids=LASTING)
def test_a_failure_that_lasts_is_answered_in_the_contracts_words(
    wired: Rest, wire: CosmosWire, fault: Fault, expected: Failure, sent: int
) -> None:
    id_ = wired.create({"n": "before"})["id"]
    wire.fault = patches(fault)

    with within_budget():
        answer = wired.update(id_, {"metadata": {"n": "lost"}})

    assert_fails(answer, expected)
    assert len(wire.documents("PATCH")) == sent
    assert_serves(wired, wire, id_)


PASSING: dict[str, tuple[Fault, int]] = {
    "429 with a short wait": (first(1, throttles(100)), 2),
    "429 with a wait just inside the budget": (first(1, throttles(700)), 2),
    "449": (first(1, answers(449)), 2),
    "503": (first(1, answers(503)), 2),
    "an answer just inside the budget": (first(1, slow(BUDGET - 0.3)), 1),
}


@pytest.mark.parametrize(("fault", "sent"), PASSING.values(), ids=PASSING)
def test_a_failure_that_passes_inside_the_budget_is_not_seen(
    wired: Rest, wire: CosmosWire, fault: Fault, sent: int
) -> None:
    id_ = wired.create({"n": "before"})["id"]
    wire.fault = patches(fault)

    with within_budget():
        answer = wired.update(id_, {"metadata": {"n": "after"}})

    assert answer.status == 200, answer
    assert answer.json()["metadata"] == {"n": "after"}
    assert len(wire.documents("PATCH")) == sent
    assert_serves(wired, wire, id_)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": 7},
        {"created_at": None},
        {"created_at": "1700000000"},
        {"created_at": 1.5},
        {"created_at": True},
        {"metadata": None},
        {"metadata": []},
        {"metadata": {"k": 1}},
        {"metadata": {"k": None}},
    ],
    ids=str,
)
def test_a_document_with_a_wrong_field_is_an_internal_error(
    wired: Rest, wire: CosmosWire, wrong: dict[str, Any]
) -> None:
    conversation = wired.create()
    wire.fault = patches(says_document({**conversation, "type": "conversation", **wrong}))

    answer = wired.update(conversation["id"], {"metadata": {}})

    assert_fails(answer, INTERNAL)
    assert_serves(wired, wire, conversation["id"])


@pytest.mark.parametrize("missing", ["id", "created_at", "metadata"])
def test_a_document_without_a_field_is_an_internal_error(
    wired: Rest, wire: CosmosWire, missing: str
) -> None:
    conversation = wired.create()
    document = {name: value for name, value in conversation.items() if name != missing}
    wire.fault = patches(says_document(document))

    answer = wired.update(conversation["id"], {"metadata": {}})

    assert_fails(answer, INTERNAL)
    assert_serves(wired, wire, conversation["id"])


@dataclass(frozen=True)
class Operation:
    """One of the API's operations, and the document request that it consists of."""

    name: str
    method: str

    def call(self, rest: Rest, conversation_id: str) -> Answer:
        """Send the operation's request."""
        if self.name == "create":
            return rest.send("POST", CONVERSATIONS, b"{}", JSON)
        if self.name == "update":
            return rest.update(conversation_id, {"metadata": {}})
        return (
            rest.retrieve(conversation_id)
            if self.name == "retrieve"
            else rest.delete(conversation_id)
        )


OPERATIONS = [
    Operation("create", "POST"),
    Operation("retrieve", "GET"),
    Operation("update", "PATCH"),
    Operation("delete", "DELETE"),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    ("fault", "expected", "sent"),
    [
        pytest.param(answers(401), INTERNAL, 1, id="401"),
        pytest.param(answers(403, 3), UNAVAILABLE, 1, id="403/3"),
        pytest.param(answers(404, 1002), UNAVAILABLE, 1, id="404/1002"),
        pytest.param(answers(404, 1003), INTERNAL, 1, id="404/1003"),
        pytest.param(answers(410, 1002), UNAVAILABLE, 1, id="410/1002"),
        pytest.param(throttles(100), throttled(100, 1), 2, id="429"),
        pytest.param(answers(500), UNAVAILABLE, 1, id="500"),
        pytest.param(answers(503), UNAVAILABLE, 2, id="503"),
        pytest.param(silent, TIMEOUT, 1, id="silence"),
        pytest.param(resets, UNAVAILABLE, 2, id="reset"),
        pytest.param(breaks_off, UNAVAILABLE, 2, id="half an answer"),
    ],
)
def test_every_operation_fails_alike(
    wired: Rest,
    wire: CosmosWire,
    operation: Operation,
    fault: Fault,
    expected: Failure,
    sent: int,
) -> None:
    id_ = wired.create()["id"]
    wire.reset()
    wire.fault = only(operation.method, "/docs/", fault)

    with within_budget():
        answer = operation.call(wired, id_)

    assert_fails(answer, expected)
    assert len(wire.documents(operation.method)) == sent
    assert_serves(wired, wire, id_)


@pytest.mark.parametrize("operation", OPERATIONS[:3], ids=lambda operation: operation.name)
def test_every_operation_refuses_an_answer_that_is_no_json(
    wired: Rest, wire: CosmosWire, operation: Operation
) -> None:
    id_ = wired.create()["id"]
    wire.fault = only(operation.method, "/docs/", says(b"{"))

    assert_fails(operation.call(wired, id_), INTERNAL)
