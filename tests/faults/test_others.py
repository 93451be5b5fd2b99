"""Somebody else writes between two requests of a write: who was first, and who hears what.

docs/contract.md#conditional-requests, #merge and #unknown-outcome.
"""

import json
from typing import Any

import pytest
from aiohttp import web

from tests.faults.checks import assert_left, logged
from tests.faults.kinds import BY_NAME, State, Target, message
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    NOT_FOUND,
    UNAVAILABLE,
    UNKNOWN,
    Failure,
    assert_fails,
    within_budget,
)
from tests.support.injected_faults import (
    altered,
    answers,
    both,
    carried_out,
    in_turn,
    looks,
    meanwhile,
    passes,
    sent,
    writes,
)
from tests.support.rest import CONVERSATIONS, JSON
from tests.support.servers import Server


def others_update(target: Target, fault: Fault | None = None) -> Fault:
    """Somebody else updates; then the request is carried out, or this comes instead."""
    return meanwhile(lambda: target.rest.update(target.id, {"metadata": {"o": "other"}}), fault)


def others_delete(target: Target, fault: Fault | None = None) -> Fault:
    """The same, and nothing is left of the conversation."""
    return meanwhile(lambda: target.rest.delete(target.id), fault)


OTHERS: State = [({"o": "other"}, ["first"])]


@pytest.mark.parametrize("name", ["update as read", "merge as read", "delete as read"])
def test_a_condition_that_others_have_broken(wire: CosmosWire, target: Target, name: str) -> None:
    wire.fault = writes(in_turn(others_update(target)))

    answer = BY_NAME[name].call(target)

    assert answer.status == 412
    assert answer.error["code"] == "precondition_failed"
    assert_left(wire, target, OTHERS)


@pytest.mark.parametrize("name", ["update as read", "merge as read"])
def test_a_condition_that_was_broken_after_doubt_is_unknown(
    wire: CosmosWire, host: Server, target: Target, name: str
) -> None:
    """Ours may have been there, and been built upon."""
    wire.fault = writes(in_turn(answers(503), others_update(target)))

    answer = BY_NAME[name].call(target)

    assert_fails(answer, UNKNOWN)
    assert "another version is there" in logged(host, answer)
    assert_left(wire, target, OTHERS)


@pytest.mark.parametrize("name", ["update as read", "merge as read"])
def test_a_write_that_others_have_built_upon_is_unknown(
    wire: CosmosWire, target: Target, name: str
) -> None:
    done = carried_out(wire, others_update(target, answers(503)))
    wire.fault = writes(in_turn(done))

    assert_fails(BY_NAME[name].call(target), UNKNOWN)
    assert_left(wire, target, OTHERS)


def test_a_delete_that_did_not_happen_is_refused_after_doubt_too(
    wire: CosmosWire, target: Target
) -> None:
    """The conversation is still there, so it was not deleted."""
    wire.fault = writes(in_turn(others_update(target, answers(503))))

    answer = BY_NAME["delete as read"].call(target)

    assert answer.status == 412
    assert_left(wire, target, OTHERS)


@pytest.mark.parametrize("name", ["merge", "merge of any"])
@pytest.mark.parametrize("doubt", [False, True])
def test_a_merge_starts_anew_on_what_others_have_written(
    wire: CosmosWire, target: Target, name: str, doubt: bool
) -> None:
    first = others_update(target, answers(503) if doubt else None)
    wire.fault = writes(in_turn(first))

    with within_budget():
        answer = BY_NAME[name].call(target)

    assert answer.status == 200, answer
    assert answer.json()["metadata"] == {"o": "other", "m": "merged"}
    assert_left(wire, target, [({"o": "other", "m": "merged"}, ["first"])])


@pytest.mark.parametrize(
    ("doubt", "expected"),
    [(False, UNAVAILABLE), (True, UNKNOWN)],
)
def test_a_merge_that_never_gets_its_turn_says_whether_it_may_be_done(
    wire: CosmosWire, target: Target, doubt: bool, expected: Failure
) -> None:
    """With a condition of any version: what others build upon, nobody can tell from theirs."""
    first = carried_out(wire, others_update(target, answers(503)))
    mine = [first] if doubt else []

    async def others_are_faster(request: web.BaseRequest) -> web.StreamResponse | None:
        if b"merged" not in await request.read():
            return None
        return await (mine.pop() if mine else others_update(target))(request)

    wire.fault = writes(others_are_faster)

    with within_budget():
        answer = BY_NAME["merge of any"].call(target)

    assert_fails(answer, expected)
    assert_left(wire, target, OTHERS)


def test_a_merge_is_recognised_after_a_look_that_was_behind(
    wire: CosmosWire, target: Target
) -> None:
    """As after a failover: the look shows another version, on which the merge starts anew."""

    def behind(results: Any) -> Any:
        results[0]["resourceBody"] |= {"version": "f" * 16, "metadata": {"n": "older"}}
        return results

    read, looked = in_turn(passes, altered(wire, behind)), in_turn(carried_out(wire, answers(503)))
    wire.fault = both(looks(read), writes(looked))

    answer = BY_NAME["merge of any"].call(target)

    assert answer.status == 200, answer
    assert answer.json()["metadata"] == {"n": "before", "m": "merged"}
    assert sent(wire) == ["look", "write", "look", "write", "look"]
    assert target.rest.retrieve(target.id).headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("name", ["update", "update of any"])
def test_the_last_update_wins(wire: CosmosWire, target: Target, name: str) -> None:
    wire.fault = writes(in_turn(others_update(target, answers(503))))

    answer = BY_NAME[name].call(target)

    assert answer.json()["metadata"] == {"n": "after"}
    assert_left(wire, target, BY_NAME[name].after)


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("name", ["append", "append of own ids", "append with a key"])
def test_an_append_goes_behind_what_others_have_appended(
    wire: CosmosWire, target: Target, name: str, lost: bool
) -> None:
    def append() -> None:
        path = f"{CONVERSATIONS}/{target.id}/items"
        body = {"items": [message("other")]}
        assert target.rest.send("POST", path, json.dumps(body).encode(), JSON).status == 200

    faults = [meanwhile(append)]
    if lost:  # the second attempt is done, and its answer is lost
        faults += [passes, carried_out(wire, answers(503))]
    wire.fault = writes(in_turn(*faults))

    with within_budget():
        answer = BY_NAME[name].call(target)

    assert answer.status == 200, answer
    assert "idempotent-replayed" not in answer.headers
    assert_left(wire, target, [({"n": "before"}, ["first", "other", "a", "b"])])


@pytest.mark.parametrize(
    "name",
    ["append", "append with a key", "update", "update as read", "merge", "delete", "delete item"],
)
@pytest.mark.parametrize("doubt", [False, True])
def test_what_others_have_deleted_is_gone(
    wire: CosmosWire, target: Target, name: str, doubt: bool
) -> None:
    first = others_delete(target, answers(503) if doubt else None)
    wire.fault = writes(in_turn(first))

    with within_budget():
        answer = BY_NAME[name].call(target)

    assert_fails(answer, NOT_FOUND)
    assert answer.error["message"] == f"Conversation with id '{target.id}' not found."
    assert_left(wire, target, [])


@pytest.mark.parametrize("name", ["create", "create with items"])
def test_a_create_that_others_have_deleted_was_made_all_the_same(
    wire: CosmosWire, target: Target, name: str
) -> None:
    def delete_the_new_one() -> None:
        page = target.rest.send("GET", CONVERSATIONS).json()["data"]
        (new,) = [one["id"] for one in page if one["id"] != target.id]
        assert target.rest.delete(new).status == 200

    wire.fault = writes(in_turn(carried_out(wire, meanwhile(delete_the_new_one, answers(503)))))

    answer = BY_NAME[name].call(target)

    assert answer.status == 200, answer
    assert answer.json()["metadata"] == {"n": "new"}
    assert [kind for kind in sent(wire) if kind == "look"] == ["look"] * 2
    assert_left(wire, target, [({"n": "before"}, ["first"])])


def test_an_item_that_others_have_deleted_after_doubt_is_deleted(
    wire: CosmosWire, target: Target
) -> None:
    path = f"{CONVERSATIONS}/{target.id}/items/{target.item_id}"
    gone = meanwhile(lambda: target.rest.send("DELETE", path), answers(503))
    wire.fault = writes(in_turn(gone))

    answer = BY_NAME["delete item"].call(target)

    assert answer.status == 200, answer
    assert answer.json()["id"] == target.id


def test_an_id_that_others_have_used_is_refused(wire: CosmosWire, target: Target) -> None:
    def append() -> None:
        path = f"{CONVERSATIONS}/{target.id}/items"
        body = {"items": [message("theirs", id="msg_b")]}
        assert target.rest.send("POST", path, json.dumps(body).encode(), JSON).status == 200

    wire.fault = writes(in_turn(meanwhile(append)))

    answer = BY_NAME["append of own ids"].call(target)

    assert answer.status == 400
    assert answer.error["code"] == "item_already_in_conversation"
    assert_left(wire, target, [({"n": "before"}, ["first", "theirs"])])


def test_an_id_that_others_use_after_doubt_is_unknown(
    wire: CosmosWire, host: Server, target: Target
) -> None:
    """It was appended, its answer lost; somebody deleted the item, and took its id."""

    def take_the_id() -> None:
        path = f"{CONVERSATIONS}/{target.id}/items"
        assert target.rest.send("DELETE", f"{path}/msg_a").status == 200
        body = {"items": [message("theirs", id="msg_a")]}
        assert target.rest.send("POST", path, json.dumps(body).encode(), JSON).status == 200

    wire.fault = writes(in_turn(carried_out(wire, meanwhile(take_the_id, answers(503)))))

    answer = BY_NAME["append of own ids"].call(target)

    assert_fails(answer, UNKNOWN)
    assert "not there, or not ours" in logged(host, answer)
    assert_left(wire, target, [({"n": "before"}, ["first", "b", "theirs"])])
