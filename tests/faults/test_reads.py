"""Every kind of read, while the database fails: docs/contract.md#failures-of-the-database.

A read is asked again once where that may mend it.
"""

import json
from typing import Any

import pytest

from tests.faults.checks import logged
from tests.faults.kinds import READS, Read, Target
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    BUDGET,
    INTERNAL,
    NOT_FOUND,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    assert_fails,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    answers,
    both,
    breaks_off,
    drips,
    first,
    hangs_up,
    looks,
    no_gzip,
    of_kind,
    queries,
    resets,
    results,
    says,
    says_document,
    sent,
    silent,
    slow,
    throttles,
)
from tests.support.rest import CONVERSATIONS
from tests.support.servers import Server

# The answer to every request, the app's answer, how often it asks, and what the log says.
LASTING: dict[str, tuple[Fault, Failure, int, str]] = {
    "400": (answers(400), INTERNAL, 1, "cosmos 400/0"),
    "401": (answers(401), INTERNAL, 1, "cosmos 401/0"),
    "403": (answers(403), INTERNAL, 1, "cosmos 403/0"),
    "403/3": (answers(403, 3), UNAVAILABLE, 1, "cosmos 403/3"),
    "404/1002": (answers(404, 1002), UNAVAILABLE, 1, "cosmos 404/1002"),
    "404/1003": (answers(404, 1003), INTERNAL, 1, "cosmos 404/1003"),
    "408": (answers(408), UNAVAILABLE, 1, "cosmos 408/0"),
    "409": (answers(409), INTERNAL, 1, "cosmos 409/0"),
    "410/1002": (answers(410, 1002), UNAVAILABLE, 1, "cosmos 410/1002"),
    "412": (answers(412), INTERNAL, 1, "cosmos 412/0"),
    "429": (throttles(50), throttled(50, 1), 2, "cosmos 429/3200"),
    "429 with no wait": (throttles(0), throttled(0, 0), 2, "cosmos 429/3200"),
    "429 with two waits that overrun": (throttles(600), throttled(600, 1), 2, "cosmos 429/3200"),
    "429 with a long wait": (throttles(9_000), throttled(9_000, 9), 1, "cosmos 429/3200"),
    "429 with a fraction": (throttles("99.5"), throttled(100, 1), 2, "cosmos 429/3200"),
    "429 that names no wait": (answers(429), throttled(1000, 1), 1, "cosmos 429/0"),
    "429 with a wait that is no number": (throttles("soon"), throttled(1000, 1), 1, "cosmos 429"),
    "449": (answers(449), UNAVAILABLE, 2, "cosmos 449/0"),
    "500": (answers(500), UNAVAILABLE, 1, "cosmos 500/0"),
    "502": (answers(502), UNAVAILABLE, 1, "cosmos 502/0"),
    "503": (answers(503), UNAVAILABLE, 2, "cosmos 503/0"),
    "503 with a sub-status that is no number": (
        answers(503, headers={"x-ms-substatus": "?"}),
        UNAVAILABLE,
        2,
        "cosmos 503/0",
    ),
    "504": (answers(504), UNAVAILABLE, 1, "cosmos 504/0"),
    "reset": (resets, UNAVAILABLE, 2, "cosmos broke the connection"),
    "hang up": (hangs_up, UNAVAILABLE, 2, "cosmos broke the connection"),
    "half an answer": (breaks_off, UNAVAILABLE, 2, "cosmos broke the connection"),
    "silence": (silent, TIMEOUT, 1, "cosmos took over 1 s"),
    "a drip": (drips, TIMEOUT, 1, "cosmos took over 1 s"),
    "slow": (slow(BUDGET + 0.3), TIMEOUT, 1, "cosmos took over 1 s"),
    "malformed JSON": (says(b'{"id": oops}'), INTERNAL, 1, "no JSON"),
    "HTML": (says(b"<html></html>"), INTERNAL, 1, "no JSON"),
    "no UTF-8": (says(b'{"id": "\xff"}'), INTERNAL, 1, "no JSON"),
    "no gzip": (no_gzip(), INTERNAL, 1, "cannot be unpacked"),
    "no body": (says(b""), INTERNAL, 1, "no JSON"),
    "a deep array": (says(b"[" * 100_000), INTERNAL, 1, "no JSON"),
    "null": (says(b"null"), INTERNAL, 1, "cosmos answered"),
    "an empty array": (says(b"[]"), INTERNAL, 1, "cosmos answered"),
    "a redirect": (says(b"", status=302, headers={"Location": "/"}), INTERNAL, 1, "no JSON"),
}
ONE_REQUEST = [
    (read, asked)
    for read in READS
    for asked in read.asks
    if read.name != "list items after one"  # the same two requests as without
]


@pytest.mark.parametrize(("fault", "expected", "tries", "reason"), LASTING.values(), ids=LASTING)
@pytest.mark.parametrize(("read", "asked"), ONE_REQUEST, ids=lambda one: getattr(one, "name", one))
def test_a_failure_that_lasts(
    wire: CosmosWire,
    host: Server,
    target: Target,
    read: Read,
    asked: str,
    fault: Fault,
    expected: Failure,
    tries: int,
    reason: str,
) -> None:
    wire.fault = of_kind(asked, fault)

    with within_budget():
        answer = read.call(target)

    assert_fails(answer, expected)
    assert sent(wire).count(asked) == tries
    assert reason in logged(host, answer)
    wire.reset()
    assert read.call(target).status == 200


PASSING = {"429": throttles(50), "449": answers(449), "503": answers(503), "reset": resets}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize(("read", "asked"), ONE_REQUEST, ids=lambda one: getattr(one, "name", one))
def test_a_failure_that_passes_is_not_seen(
    wire: CosmosWire, target: Target, read: Read, asked: str, fault: Fault
) -> None:
    whole = read.call(target)
    wire.reset()
    wire.fault = of_kind(asked, first(1, fault))

    with within_budget():
        answer = read.call(target)

    assert (answer.status, answer.body) == (200, whole.body)
    assert sent(wire).count(asked) == 2


@pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
def test_a_document_that_is_not_there(wire: CosmosWire, target: Target, read: Read) -> None:
    missing = Target(target.rest, "conv_missing", target.etag)
    wire.reset()

    answer = read.call(missing)

    if read.name == "list conversations":
        assert answer.status == 200
    else:
        assert_fails(answer, NOT_FOUND)


NO_CONVERSATION: dict[str, dict[str, Any]] = {
    "another id": {"id": "conv_other"},
    "no id": {"id": None},
    "a number for an id": {"id": 7},
    "no time": {"created_at": None},
    "a text for a time": {"created_at": "1700000000"},
    "a fraction for a time": {"created_at": 1.5},
    "a truth for a time": {"created_at": True},
    "no metadata": {"metadata": None},
    "an array for metadata": {"metadata": []},
    "a number in metadata": {"metadata": {"k": 1}},
    "half a character": {"metadata": {"k": "\ud800"}},
    "no version": {"version": None},
}


@pytest.mark.parametrize("wrong", NO_CONVERSATION.values(), ids=NO_CONVERSATION)
def test_a_document_that_is_no_conversation(
    wire: CosmosWire, host: Server, target: Target, wrong: dict[str, Any]
) -> None:
    document = {**target.rest.retrieve(target.id).json(), "version": "0" * 16, **wrong}
    absent = {name: value for name, value in document.items() if value is not None}
    for made_up in (document, absent):
        wire.fault = of_kind("read", says_document(made_up))

        answer = target.rest.retrieve(target.id)

        assert_fails(answer, INTERNAL)
        assert logged(host, answer)


@pytest.mark.parametrize(
    "item", ["null", "[]", "{}", '{"id": 7}', '{"id": "msg_first", "n": NaN}', '{"id": "\\ud800"}']
)
def test_a_document_that_is_no_item(wire: CosmosWire, target: Target, item: str) -> None:
    conversation = {"id": target.id, "created_at": 1, "metadata": {}, "version": "0" * 16}
    document = f'{{"id": "{target.id}.msg_first", "item": {item}}}'
    wire.fault = both(
        looks(
            says(
                f'[{{"statusCode": 200, "resourceBody": {json.dumps(conversation)}}},'
                f'{{"statusCode": 200, "resourceBody": {document}}}]'.encode()
            )
        ),
        queries(says(f'{{"Documents": [{item}]}}'.encode())),
    )

    for read in ("/items/msg_first", "/items?after=msg_first"):
        assert_fails(target.rest.send("GET", f"{CONVERSATIONS}/{target.id}{read}"), INTERNAL)


LOOKS = {
    "too long": results(200, 200, 200),
    "all failed": results(424, 424),
    "without documents": results(200, 200),
    "another document": says(b'[{"statusCode": 200, "resourceBody": {"id": "x"}}]'),
    "a status that is none": says(b'[{"statusCode": "200"}, {"statusCode": 200}]'),
    "nothing of use": says(b"[1, null]"),
}


@pytest.mark.parametrize("fault", LOOKS.values(), ids=LOOKS)
def test_a_batch_of_reads_that_is_answered_with_something_else(
    wire: CosmosWire, target: Target, fault: Fault
) -> None:
    wire.fault = looks(fault)

    answer = target.rest.send("GET", f"{CONVERSATIONS}/{target.id}/items/msg_first")

    assert_fails(answer, INTERNAL)
    assert sent(wire) == ["look"]
