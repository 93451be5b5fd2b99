"""A user's partition is full: nothing more is stored in it, and deleting still helps.

Cosmos DB answers 403/1014, for a batch as a whole or for the operation that it is about.
"""

import json

import pytest
from aiohttp import web

from tests.faults.checks import assert_left, assert_write_fails
from tests.faults.kinds import BEFORE, BY_NAME, WRITES, Target, Write
from tests.support.cosmos_wire import Answer, CosmosWire, Fault
from tests.support.failures import (
    FULL,
    NOT_FOUND,
    UNAVAILABLE,
    Failure,
    assert_fails,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    answers,
    both,
    first,
    in_turn,
    passes,
    queries,
    refuses,
    resets,
    sent,
    silent,
    throttles,
    writes,
)
from tests.support.rest import CONVERSATIONS
from tests.support.servers import Server

MESSAGE = "This user's storage is full: delete conversations, or items of them."

# None: the request as a whole, which alone a patch can be refused as.
STORING = [
    pytest.param(write, culprit, id=f"{write.name}-{culprit}")
    for write in WRITES
    if not write.name.startswith("delete")
    for culprit in ([None] if write.name.startswith(("update", "merge")) else [None, 0, -1])
]


@pytest.mark.parametrize(("write", "culprit"), STORING)
def test_what_would_store_more_is_refused(
    wire: CosmosWire, host: Server, target: Target, write: Write, culprit: int | None
) -> None:
    wire.fault = writes(answers(403, 1014) if culprit is None else refuses(culprit, 403, 1014))

    assert_write_fails(wire, host, target, write, FULL, "cosmos 403/1014")


def no_marker(fault: Fault) -> Fault:
    """Only batches that begin with the marker of a deletion."""

    async def some(request: web.BaseRequest) -> Answer:
        operation = json.loads(await request.read())[0]
        created = operation.get("resourceBody", {}).get("id", "")
        return await fault(request) if created.startswith("deletion.") else None

    return writes(some)


DELETE = BY_NAME["delete"]
FULL_NOW = refuses(0, 403, 1014)


@pytest.mark.parametrize("fault", [FULL_NOW, answers(403, 1014)], ids=["culprit", "whole"])
def test_a_delete_makes_room_for_its_marker(wire: CosmosWire, target: Target, fault: Fault) -> None:
    wire.fault = no_marker(first(1, fault))

    with within_budget():
        answer = DELETE.call(target)

    assert answer.status == 200, answer
    assert sent(wire) == ["write", "query", "write", "write", "query"]
    room = json.loads(wire.documents("POST")[2].body)
    assert [one["operationType"] for one in room] == ["Read", "Delete"]
    assert_left(wire, target, [])


def test_a_delete_that_made_room_in_vain_goes_on_when_it_is_repeated(
    wire: CosmosWire, target: Target
) -> None:
    """Space comes back with delay: 503 while there is something to remove, 400 then."""
    wire.fault = no_marker(FULL_NOW)

    assert_fails(DELETE.call(target), UNAVAILABLE)
    answer = DELETE.call(target)

    assert_fails(answer, FULL)
    assert answer.error["message"] == MESSAGE
    wire.reset()
    items = target.rest.send("GET", f"{CONVERSATIONS}/{target.id}/items").json()
    assert items["data"] == []
    assert DELETE.call(target).status == 200


@pytest.mark.parametrize("name", ["delete as read", "delete of any"])
def test_a_delete_under_a_condition_removes_nothing_first(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    wire.fault = writes(answers(403, 1014))

    assert_write_fails(wire, host, target, BY_NAME[name], FULL, "cosmos 403/1014")


def test_a_delete_of_what_is_not_there_removes_nothing(wire: CosmosWire, target: Target) -> None:
    wire.fault = no_marker(FULL_NOW)

    answer = target.rest.delete("conv_missing")

    assert_fails(answer, NOT_FOUND)
    assert_left(wire, target, BEFORE)


MAKING_ROOM: dict[str, tuple[Fault, Failure]] = {
    "429": (throttles(9_000), throttled(9_000, 9)),
    "503": (answers(503), UNAVAILABLE),
    "reset": (resets, UNAVAILABLE),
}


@pytest.mark.parametrize(("fault", "expected"), MAKING_ROOM.values(), ids=MAKING_ROOM)
@pytest.mark.parametrize("where", ["query", "batch"])
def test_making_room_may_fail(
    wire: CosmosWire, target: Target, where: str, fault: Fault, expected: Failure
) -> None:
    full = first(1, FULL_NOW)
    wire.fault = both(writes(full), (queries if where == "query" else writes)(fault))

    with within_budget():
        answer = DELETE.call(target)

    assert_fails(answer, expected)
    assert_left(wire, target, BEFORE)


@pytest.mark.parametrize("where", ["query", "batch"])
@pytest.mark.parametrize("fault", [silent, answers(500), throttles(9_000)], ids=["", "500", "429"])
def test_a_delete_that_cannot_remove_its_items_has_deleted_all_the_same(
    wire: CosmosWire, target: Target, where: str, fault: Fault
) -> None:
    """The sweep does the rest."""
    wire.fault = queries(fault) if where == "query" else writes(in_turn(passes, *[fault] * 9))

    with within_budget():
        answer = DELETE.call(target)

    assert answer.status == 200, answer
    assert_left(wire, target, [])
    gone = target.rest.send("GET", f"{CONVERSATIONS}/{target.id}/items/msg_first")
    assert_fails(gone, NOT_FOUND)
