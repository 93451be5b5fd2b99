"""What every answer of a write must be when the database failed, whatever was sent and came."""

import re

from tests.faults.kinds import BEFORE, State, Target, Write, state
from tests.support.cosmos_wire import CosmosWire
from tests.support.failures import Failure, assert_fails, within_budget
from tests.support.injected_faults import SECRET, sent
from tests.support.rest import Answer
from tests.support.servers import Server, emulator_key


def logged(host: Server, answer: Answer) -> str:
    """The reason in the one log line of this answer's request, which gives nothing away."""
    request_id = answer.headers["x-request-id"]
    (line,) = [line for line in host.log().splitlines() if request_id in line]
    for inner in (SECRET, emulator_key(), "user-", "before", "msg_first", "Traceback"):
        assert inner not in line
    found = re.search(r' reason="([^"]+)"$', line)
    return found[1] if found else ""


def assert_write_fails(
    wire: CosmosWire, host: Server, target: Target, write: Write, expected: Failure, reason: str
) -> None:
    """The write is answered so, in time; the log says why; and nothing was stored."""
    with within_budget():
        answer = write.call(target)

    assert_fails(answer, expected)
    assert reason in logged(host, answer)
    assert_left(wire, target, BEFORE)


def assert_write_succeeds(wire: CosmosWire, target: Target, write: Write) -> list[str]:
    """The write is answered as if nothing had been, in time, and was done once.

    Returns what the database was asked.
    """
    with within_budget():
        answer = write.call(target)

    assert answer.status == 200, answer
    assert "idempotent-replayed" not in answer.headers
    asked = sent(wire)
    assert_left(wire, target, write.after)
    return asked


def assert_left(wire: CosmosWire, target: Target, expected: State) -> None:
    """The whole database is back, and this is what the user has."""
    wire.reset()
    assert state(target.rest) == expected
