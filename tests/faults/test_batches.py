"""A batch that one operation has failed, and conflicts with something that is not what it seems.

A transaction stores all or nothing. Cosmos DB answers a failed one with 207 and names the operation
that is why: docs/contract.md#failures-of-the-database.
"""

import pytest

from tests.faults.checks import assert_left, assert_write_fails, logged
from tests.faults.kinds import BEFORE, BY_NAME, WAYS, WRITES, Target, Write, state
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    INTERNAL,
    NOT_FOUND,
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
    both,
    carried_out,
    in_turn,
    looks,
    passes,
    refuses,
    sent,
    writes,
)
from tests.support.servers import Server

# What each write's batch is made of. An update and a merge are a PATCH.
BATCHES = {
    "create": ["conversation"],
    "create with a key": ["record", "conversation"],
    "create with items": ["item", "item", "conversation"],
    "create with items and a key": ["record", "item", "item", "conversation"],
    "append": ["item", "item", "patch"],
    "append of own ids": ["item", "item", "patch"],
    "append with a key": ["record", "item", "item", "patch"],
    "append of own ids with a key": ["record", "item", "item", "patch"],
    "delete": ["marker", "conversation"],
    "delete as read": ["patch", "marker", "conversation"],
    "delete of any": ["marker", "conversation"],
    "delete item": ["conversation", "item"],
}


CULPRITS = [
    pytest.param(write, index, id=f"{write.name}-{index} {what}")
    for write in WAYS
    if write.name in BATCHES
    for index, what in enumerate(BATCHES[write.name])
]


# Whatever the operation, this says of the whole that nothing was stored.
REFUSED: dict[str, tuple[tuple[int, int, int], Failure, int]] = {
    "400": ((400, 0, 0), INTERNAL, 1),
    "403": ((403, 0, 0), INTERNAL, 1),
    "403/3": ((403, 3, 0), UNAVAILABLE, 1),
    "404/1002": ((404, 1002, 0), UNAVAILABLE, 1),
    "413": ((413, 0, 0), TOO_LARGE, 1),
    "429": ((429, 3200, 50), throttled(50, 1), 2),
    "429 with a long wait": ((429, 3200, 9_000), throttled(9_000, 9), 1),
    "449": ((449, 0, 0), UNAVAILABLE, 2),
}


@pytest.mark.parametrize(("refusal", "expected", "attempts"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(("write", "culprit"), CULPRITS)
def test_an_operation_that_is_refused_refuses_all(
    wire: CosmosWire,
    host: Server,
    target: Target,
    write: Write,
    culprit: int,
    refusal: tuple[int, int, int],
    expected: Failure,
    attempts: int,
) -> None:
    status, sub_status, wait = refusal
    wire.fault = writes(refuses(culprit, status, sub_status, retryAfterMilliseconds=wait))

    with within_budget():
        answer = write.call(target)

    if expected == TOO_LARGE and write.name.startswith("delete"):
        expected = INTERNAL
    assert_fails(answer, expected if write.repeatable else expected.not_again())
    assert sent(wire) == ["write"] * attempts
    assert f"cosmos {status}/{sub_status}" in logged(host, answer)
    assert_left(wire, target, BEFORE)


DOUBTS = {"408": refuses(0, 408), "500": refuses(0, 500), "all 424": refuses(0, 424)}


@pytest.mark.parametrize("fault", DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("name", BATCHES)
def test_an_operation_that_proves_nothing_is_read_back(
    wire: CosmosWire, host: Server, target: Target, name: str, fault: Fault
) -> None:
    write = BY_NAME[name]
    wire.fault = writes(fault)

    with within_budget():
        answer = write.call(target)

    again = INTERNAL if fault is DOUBTS["all 424"] else UNAVAILABLE
    assert_fails(answer, again if write.repeatable else TIMEOUT.not_again())
    assert sent(wire) == ["write", *["look"] * write.not_there] * 2
    assert logged(host, answer)
    assert_left(wire, target, BEFORE)


def ids_of(write: Write, what: str) -> list[int]:
    """The places of such operations in the write's batch."""
    return [index for index, one in enumerate(BATCHES[write.name]) if one == what]


@pytest.mark.parametrize("name", [name for name in BATCHES if BATCHES[name][0] == "record"])
def test_a_conflict_with_a_record_that_is_not_there(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    """It has expired, and is not removed yet."""
    wire.fault = writes(refuses(0, 409))

    assert_write_fails(wire, host, target, BY_NAME[name], UNAVAILABLE, "conflict with a")


@pytest.mark.parametrize("name", [name for name in BATCHES if name.startswith("append")])
def test_a_conflict_with_an_item_that_is_not_there(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    write = BY_NAME[name]
    for index in ids_of(write, "item"):
        wire.reset()
        wire.fault = writes(refuses(index, 409))

        assert_write_fails(wire, host, target, write, UNAVAILABLE, "conflict with a")


@pytest.mark.parametrize("name", [name for name in BATCHES if name.startswith("append")])
def test_after_doubt_a_conflict_with_what_is_not_there_stays_doubtful(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    """What was stored may have been deleted since, and the id used again."""
    write = BY_NAME[name]
    wire.fault = writes(in_turn(answers(503), *[refuses(0, 409)] * 9))
    expected = TIMEOUT if write.repeatable else TIMEOUT.not_again()

    assert_write_fails(wire, host, target, write, expected, "conflict with a")


@pytest.mark.parametrize("name", ["create", "create with items"])
def test_a_conflict_of_a_new_id_draws_another_once(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    write = BY_NAME[name]
    wire.fault = writes(in_turn(answers(409)))
    answer = write.call(target)
    assert answer.status == 200
    first, second = [one.body for one in wire.requests if b'"Create"' in one.body]
    assert answer.json()["id"].encode() in second
    assert answer.json()["id"].encode() not in first
    assert_left(wire, target, write.after)


def test_a_new_id_is_drawn_only_once(wire: CosmosWire, host: Server, target: Target) -> None:
    wire.fault = writes(answers(409))

    assert_write_fails(wire, host, target, BY_NAME["create"], UNAVAILABLE, "two new ids")


def test_no_new_id_is_drawn_after_doubt(wire: CosmosWire, host: Server, target: Target) -> None:
    wire.fault = writes(in_turn(answers(503), *[answers(409)] * 9))
    expected = TIMEOUT.not_again()

    assert_write_fails(wire, host, target, BY_NAME["create"], expected, "conflict")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("create", TIMEOUT.not_again()),
        ("append", TIMEOUT.not_again()),
        ("update as read", TIMEOUT.not_again()),
        ("append with a key", UNAVAILABLE),
        ("merge", UNAVAILABLE),
    ],
)
def test_a_conflict_that_cannot_be_read_back(
    wire: CosmosWire, host: Server, target: Target, name: str, expected: Failure
) -> None:
    """What is in the way may be our own."""
    write = BY_NAME[name]
    blind = looks(in_turn(*[passes] * len(write.first), *[answers(500)] * 9))
    wire.fault = both(writes(answers(409)), blind)

    assert_write_fails(wire, host, target, write, expected, "cosmos 500/0")


# Conflicts that nothing explains and that do not end: the database is out of its mind.
ENDLESS = [
    pytest.param(write, fault, id=f"{write.name}-{label}")
    for write in WAYS
    for label, fault in (("409", answers(409)), ("412", answers(412)), ("last", refuses(-1, 412)))
    # A create draws one new id and then gives up; an update is no batch.
    if not (write.name.startswith("create") and label == "409")
    if label != "last" or write.name in BATCHES
]


@pytest.mark.parametrize(("write", "fault"), ENDLESS)
def test_a_conflict_that_does_not_end_ends_with_the_budget(
    wire: CosmosWire, target: Target, write: Write, fault: Fault
) -> None:
    wire.fault = writes(fault)

    with within_budget():
        answer = write.call(target)

    # Nothing was written, and everybody may try again; but nobody knows of an attempt that was
    # under way when the time was up, as on a slow machine.
    expected = TIMEOUT if write.repeatable else TIMEOUT.not_again()
    assert_fails(answer, UNAVAILABLE if answer.status == 503 else expected)
    assert len([one for one in sent(wire) if one == "write"]) < 50
    assert_left(wire, target, BEFORE)


@pytest.mark.parametrize("name", [name for name in BATCHES if name.startswith("append")])
def test_a_conflict_that_names_the_patch(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    wire.fault = writes(refuses(-1, 409))

    assert_write_fails(wire, host, target, BY_NAME[name], UNAVAILABLE, "others were faster")


MISSING = [
    *[(name, "patch") for name in BATCHES if name.startswith("append")],
    ("delete", "conversation"),
    ("delete as read", "patch"),
    ("delete of any", "conversation"),
    ("delete item", "conversation"),
    ("delete item", "item"),
]


@pytest.mark.parametrize(("name", "what"), MISSING)
def test_what_is_missing_is_not_found(
    wire: CosmosWire, target: Target, name: str, what: str
) -> None:
    write = BY_NAME[name]
    (index,) = ids_of(write, what)
    wire.fault = writes(refuses(index, 404))

    answer = write.call(target)

    assert_fails(answer, NOT_FOUND)
    kind = "Item" if what == "item" else "Conversation"
    assert answer.error["message"].startswith(f"{kind} with id ")
    assert sent(wire) == ["write"]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.name)
def test_a_write_that_was_done_and_then_refused_is_recognised(
    wire: CosmosWire, target: Target, write: Write
) -> None:
    """Somebody below sent it twice: the second copy meets what the first has made."""
    copy = carried_out(wire, answers(404) if "delete" in write.name else answers(409))
    wire.fault = writes(in_turn(answers(500), copy))

    with within_budget():
        answer = write.call(target)

    assert answer.status == 200, answer
    wire.reset()
    assert state(target.rest) == write.after
