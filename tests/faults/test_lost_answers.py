"""The database carries a write out, and its answer is lost: done is done, once, and answered so.

docs/contract.md#unknown-outcome. What the user has is read back through the API.
"""

from typing import Any

import pytest

from tests.faults.checks import assert_left, assert_write_succeeds, logged
from tests.faults.kinds import BY_NAME, WAYS, WRITES, Target, Write
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    BUDGET,
    INTERNAL,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    assert_fails,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    altered,
    answers,
    both,
    breaks_off,
    carried_out,
    first,
    hangs_up,
    in_turn,
    looks,
    no_gzip,
    passes,
    resets,
    results,
    says,
    says_document,
    says_raw,
    sent,
    silent,
    slow,
    throttles,
    writes,
)
from tests.support.servers import Server

LOST: dict[str, Fault] = {
    "reset": resets,
    "hang up": hangs_up,
    "half an answer": breaks_off,
    "silence": silent,
    "408": answers(408),
    "410": answers(410),
    "500": answers(500),
    "503": answers(503),
    "504": answers(504),
    "409 to a second copy": answers(409),
    "412 to a second copy": answers(412),
    "no HTTP": says_raw(b"\x00\r\n\r\n"),
    "no gzip": no_gzip(),
    "no body": says(b""),
    "HTML": says(b"<html></html>"),
    "no UTF-8": says(b'"\xff"'),
    "null": says(b"null"),
    "a number": says(b"7"),
    "an empty array": says(b"[]"),
    "an array of null": says(b"[null, null, null, null, null]"),
    "an empty object": says(b"{}"),
    "a deep array": says(b"[" * 100_000),
    "another document": says_document(
        {"id": "conv_other", "created_at": 1, "metadata": {"n": "other"}, "version": "0" * 16}
    ),
    "a redirect": says(b"", status=302, headers={"Location": "/"}),
    "207 of five": results(*[201] * 5, status=207),
    "207 of a hundred": results(*[201] * 100, status=207),
    "207 of nothing but 424": results(*[424] * 4, status=207),
}


@pytest.mark.parametrize(
    ("write", "fault"),
    [
        pytest.param(write, fault, id=f"{write.name}-{name}")
        for name, fault in LOST.items()
        for write in (WRITES if name in {"reset", "503"} else WAYS)
    ],
)
def test_a_write_that_was_done_is_recognised(
    wire: CosmosWire, target: Target, write: Write, fault: Fault
) -> None:
    wire.fault = writes(first(1, carried_out(wire, fault)))

    asked = assert_write_succeeds(wire, target, write)

    assert asked == [*write.first, "write", *["look"] * write.there, *write.then]


@pytest.mark.parametrize(
    "token", ["", "x", "0:", "0:x", "0:-1#x", "0:-1#5#1=2#3", ":", "9:-1#7#1=1"]
)
@pytest.mark.parametrize("name", ["create", "append", "update as read", "delete of any"])
def test_a_session_token_that_is_none_does_no_harm(
    wire: CosmosWire, target: Target, name: str, token: str
) -> None:
    wire.fault = writes(first(1, altered(wire, _as_it_is, {"x-ms-session-token": token})))

    assert_write_succeeds(wire, target, BY_NAME[name])


def _as_it_is(answer: Any) -> Any:
    return answer


# The answer to every look after the lost one: what must never be the answer to the caller.
BLIND: dict[str, Fault] = {
    "401": answers(401),
    "403/1014": answers(403, 1014),
    "404/1002": answers(404, 1002),
    "404/1003": answers(404, 1003),
    "408": answers(408),
    "429": throttles(20),
    "429 with a long wait": throttles(9_000),
    "449": answers(449),
    "500": answers(500),
    "503": answers(503),
    "reset": resets,
    "hang up": hangs_up,
    "no JSON": says(b"{"),
    "an empty array": says(b"[]"),
    "too long": results(200, 200, 200),
    "all failed": results(424),
    "success without a document": results(200),
    "null for a document": says(b'[{"statusCode": 200, "resourceBody": null}]'),
    "a text for a document": says(b'[{"statusCode": 200, "resourceBody": "x"}]'),
    "another document": says(b'[{"statusCode": 200, "resourceBody": {"id": "x", "request": "y"}}]'),
}


@pytest.mark.parametrize("fault", BLIND.values(), ids=BLIND)
@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.name)
def test_a_look_that_fails_is_tried_once_more_and_is_never_the_answer(
    wire: CosmosWire, host: Server, target: Target, write: Write, fault: Fault
) -> None:
    lost = carried_out(wire, answers(500))
    # The merge's own look at what is there comes before.
    seen = [*write.first]
    wire.fault = both(writes(lost), looks(after(len(seen), *[fault] * 9)))

    with within_budget():
        answer = write.call(target)

    assert_fails(answer, UNAVAILABLE if write.repeatable else TIMEOUT.not_again())
    assert sent(wire) == [*seen, "write", "look", "look"]
    assert "cosmos 500/0" in logged(host, answer)
    assert_left(wire, target, write.after)


def after(count: int, *faults: Fault) -> Fault:
    """These, one after the other, for what follows the first so many requests."""
    return in_turn(*[passes] * count, *faults)


@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.name)
def test_looks_that_are_not_answered_end_with_the_budget(
    wire: CosmosWire, target: Target, write: Write
) -> None:
    silence = looks(after(len(write.first), *[silent] * 9))
    wire.fault = both(writes(carried_out(wire, answers(500))), silence)

    with within_budget():
        answer = write.call(target)

    # Why the write failed, or that the time is up: whichever is noticed first.
    failed = UNAVAILABLE if answer.status == UNAVAILABLE.status else TIMEOUT
    assert_fails(answer, failed if write.repeatable else TIMEOUT.not_again())
    assert_left(wire, target, write.after)


@pytest.mark.parametrize("fault", [answers(500), throttles(20), resets, says(b"[]")])
@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.name)
def test_a_look_that_fails_once_is_not_seen(
    wire: CosmosWire, target: Target, write: Write, fault: Fault
) -> None:
    lost = carried_out(wire, answers(500))
    wire.fault = both(writes(first(1, lost)), looks(after(len(write.first), fault)))

    asked = assert_write_succeeds(wire, target, write)

    assert asked == [*write.first, "write", "look", *["look"] * write.there, *write.then]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (answers(401), INTERNAL),
        (throttles(9_000), throttled(9_000, 9)),
        (answers(403, 3), UNAVAILABLE),
    ],
    ids=["401", "429", "403/3"],
)
def test_what_is_refused_before_it_was_ever_sent_is_answered(
    wire: CosmosWire, target: Target, second: Fault, expected: Failure
) -> None:
    """A 449 proves that nothing was stored; so the refusal after it does too."""
    write = BY_NAME["create"]
    wire.fault = writes(in_turn(answers(449), second))

    answer = write.call(target)

    assert_fails(answer, expected.not_again())
    assert sent(wire) == ["write", "write"]


def test_the_budget_holds_while_everything_is_silent(wire: CosmosWire, target: Target) -> None:
    for write in WRITES[::3]:
        wire.reset()
        wire.fault = silent
        with within_budget():
            answer = write.call(target)
        assert_fails(answer, TIMEOUT if write.repeatable else TIMEOUT.not_again())


def test_an_answer_in_four_fifths_of_the_budget_is_taken(wire: CosmosWire, target: Target) -> None:
    wire.fault = writes(slow(BUDGET * 0.6))

    asked = assert_write_succeeds(wire, target, BY_NAME["append"])

    assert asked == ["write"]
