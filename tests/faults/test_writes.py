"""Every kind of write, while each request that would store something fails in the same way.

docs/contract.md#failures-of-the-database and #unknown-outcome: what the caller hears, what the
database was asked, that nothing was stored, and that the app kept to its budget.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.checks import assert_left, assert_write_fails, assert_write_succeeds, logged
from tests.faults.kinds import BEFORE, BY_NAME, WAYS, WRITES, Target, Write
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    BUDGET,
    INTERNAL,
    TIMEOUT,
    TOO_LARGE,
    UNAVAILABLE,
    Failure,
    assert_fails,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    answers,
    breaks_off,
    drips,
    first,
    hangs_up,
    in_turn,
    resets,
    says,
    sent,
    silent,
    slow,
    throttles,
    writes,
)
from tests.support.servers import Server


@dataclass(frozen=True)
class Proof:
    """A failure that proves that nothing was stored: it is the answer, after so many attempts."""

    fault: Fault
    answer: Failure
    reason: str
    attempts: int = 1


@dataclass(frozen=True)
class Doubt:
    """A failure that leaves it open: read back, once more, read back."""

    fault: Fault
    answer: Failure
    """To those who may repeat it; to the others the outcome is unknown."""
    reason: str


def each_way(rows: dict[str, Any], *everywhere: str) -> list[Any]:
    """Each way to write with each row, and every kind of write with those named here."""
    return [
        pytest.param(write, row, id=f"{write.name}-{name}")
        for name, row in rows.items()
        for write in (WRITES if name in everywhere else WAYS)
    ]


FAILURES: dict[str, Proof | Doubt] = {
    "400": Proof(answers(400), INTERNAL, "cosmos 400/0"),
    "401": Proof(answers(401), INTERNAL, "cosmos 401/0"),
    "403": Proof(answers(403), INTERNAL, "cosmos 403/0"),
    "403/5300 no data action": Proof(answers(403, 5300), INTERNAL, "cosmos 403/5300"),
    "403/3 writes are elsewhere": Proof(answers(403, 3), UNAVAILABLE, "cosmos 403/3"),
    "403/1008 the account is elsewhere": Proof(answers(403, 1008), UNAVAILABLE, "cosmos 403/1008"),
    "404/1002 the session is not there yet": Proof(
        answers(404, 1002), UNAVAILABLE, "cosmos 404/1002"
    ),
    "404/1003 no such container": Proof(answers(404, 1003), INTERNAL, "cosmos 404/1003"),
    "413": Proof(answers(413), TOO_LARGE, "cosmos 413/0"),
    "429": Proof(throttles(50), throttled(50, 1), "cosmos 429", 2),
    "429 with a long wait": Proof(throttles(9_000), throttled(9_000, 9), "cosmos 429"),
    "449": Proof(answers(449), UNAVAILABLE, "cosmos 449/0", 2),
    "405": Doubt(answers(405), INTERNAL, "cosmos 405/0"),
    "408": Doubt(answers(408), UNAVAILABLE, "cosmos 408/0"),
    "410/1002 the partition is gone": Doubt(answers(410, 1002), UNAVAILABLE, "cosmos 410/1002"),
    "500": Doubt(answers(500), UNAVAILABLE, "cosmos 500/0"),
    "502": Doubt(answers(502), UNAVAILABLE, "cosmos 502/0"),
    "503": Doubt(answers(503), UNAVAILABLE, "cosmos 503/0"),
    "504": Doubt(answers(504), UNAVAILABLE, "cosmos 504/0"),
    "reset": Doubt(resets, UNAVAILABLE, "cosmos broke the connection"),
    "hang up": Doubt(hangs_up, UNAVAILABLE, "cosmos broke the connection"),
    "half an answer": Doubt(breaks_off, UNAVAILABLE, "cosmos broke the connection"),
    "no JSON": Doubt(says(b"{"), INTERNAL, "no JSON"),
    "an empty array": Doubt(says(b"[]"), INTERNAL, "cosmos answered"),
    "an object": Doubt(says(b"{}"), INTERNAL, "no conversation|another length"),
    "a redirect": Doubt(says(b"", status=302, headers={"Location": "/"}), INTERNAL, "no JSON"),
}


@pytest.mark.parametrize(("write", "failure"), each_way(FAILURES, "401", "429", "503"))
def test_a_failure_that_lasts(
    wire: CosmosWire, host: Server, target: Target, write: Write, failure: Proof | Doubt
) -> None:
    wire.fault = writes(failure.fault)
    if isinstance(failure, Proof):
        expected = failure.answer if write.repeatable else failure.answer.not_again()
        asked = [*write.first, *["write"] * failure.attempts]
        if expected == TOO_LARGE and not write.name.startswith(("create", "append")):
            # Nobody but a create decides how much is stored at once.
            expected = INTERNAL if write.repeatable else INTERNAL.not_again()
    else:
        expected = failure.answer if write.repeatable else TIMEOUT.not_again()
        asked = [*write.first, *["write", *["look"] * write.not_there] * 2]

    with within_budget():
        answer = write.call(target)

    assert_fails(answer, expected)
    assert sent(wire) == asked
    assert re.search(failure.reason, logged(host, answer))
    assert_left(wire, target, BEFORE)


SOME = [BY_NAME[name] for name in ("create", "append with a key", "update as read", "merge")]


@pytest.mark.parametrize("fault", [silent, drips, slow(BUDGET + 0.3)], ids=["", "drip", "slow"])
@pytest.mark.parametrize("write", SOME, ids=lambda write: write.name)
def test_silence_that_lasts(
    wire: CosmosWire, host: Server, target: Target, write: Write, fault: Fault
) -> None:
    wire.fault = writes(fault)

    assert_write_fails(
        wire,
        host,
        target,
        write,
        TIMEOUT if write.repeatable else TIMEOUT.not_again(),
        "cosmos took over 1 s",
    )


PASSING: dict[str, tuple[Fault, bool]] = {
    "429": (throttles(50), False),
    "449": (answers(449), False),
    "503": (answers(503), True),
    "408": (answers(408), True),
    "reset": (resets, True),
    "rubbish": (says(b"<html></html>"), True),
}


@pytest.mark.parametrize(("write", "passing"), each_way(PASSING, "429", "503"))
def test_a_failure_that_passes_is_not_seen(
    wire: CosmosWire, target: Target, write: Write, passing: tuple[Fault, bool]
) -> None:
    fault, looks = passing
    wire.fault = writes(first(1, fault))

    asked = assert_write_succeeds(wire, target, write)

    between = ["look"] * write.not_there if looks else []
    assert asked == [*write.first, "write", *between, "write", *write.then]


# What comes first, what comes for ever after, and what the log then says.
MIXED: dict[str, tuple[Fault, Fault, str]] = {
    "429, then 503": (throttles(50), answers(503), "cosmos 503/0"),
    "503, then 429": (answers(503), throttles(50), "cosmos 503/0"),
    "503, then a long 429": (answers(503), throttles(9_000), "cosmos 503/0"),
    "503, then 449": (answers(503), answers(449), "cosmos 503/0"),
    "reset, then 401": (resets, answers(401), "cosmos broke the connection"),
    "408, then 403/3": (answers(408), answers(403, 3), "cosmos 408/0"),
    "408, then 404/1002": (answers(408), answers(404, 1002), "cosmos 408/0"),
    "503, then full": (answers(503), answers(403, 1014), "cosmos 503/0"),
    "503, then too large": (answers(503), answers(413), "cosmos 503/0"),
}


@pytest.mark.parametrize(("write", "row"), each_way(MIXED))
def test_a_later_failure_proves_nothing_of_an_earlier_one(
    wire: CosmosWire,
    host: Server,
    target: Target,
    write: Write,
    row: tuple[Fault, Fault, str],
) -> None:
    before, after, reason = row
    wire.fault = writes(in_turn(before, *[after] * 9))
    expected = UNAVAILABLE if write.repeatable else TIMEOUT.not_again()

    assert_write_fails(wire, host, target, write, expected, reason)
