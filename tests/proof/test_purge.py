"""What a delete or the sweep removes: every item of what was deleted, and nothing else."""

import asyncio
import base64

import pytest
from multidict import CIMultiDict

from conversations.limits import MARKER_SECONDS
from conversations.resources.items.documents import new_documents
from tests.proof.bench import Bench, delete_leaving, until_nothing_is_left
from tests.proof.fates import Says
from tests.proof.network import CarryOut, Received, Sent


def test_items_that_expire_under_the_sweep_do_not_stop_it(world: Bench) -> None:
    id_ = delete_leaving(world, 0)
    for number in range(3):
        (item,) = new_documents(
            "somebody", id_, [{"id": f"msg_{number}"}], request="-", first_position=number + 1
        )
        world.fill([item if number else {**item, "ttl": 1_000}])
    requests = 0

    async def expire(sent: Sent, carry_out: CarryOut) -> Received:
        nonlocal requests
        if any(one["operationType"] == "Delete" for one in sent.operations):
            requests += 1
            world.advance(1_001)
        return await carry_out()

    world.befall(expire)
    world.run(world.sweep())
    assert world.left() == {}
    assert requests >= 2


def test_an_empty_page_is_not_the_end_of_the_items(world: Bench) -> None:
    delete_leaving(world, 3)
    world.advance(MARKER_SECONDS + 1)
    from_the_start = base64.b64encode(b'["item/", "", ""]').decode()

    async def empty_at_first(sent: Sent, carry_out: CarryOut) -> Received:
        is_query = "x-ms-documentdb-isquery" in sent.headers
        is_first = "x-ms-continuation" not in sent.headers
        if is_query and is_first and "x-ms-documentdb-partitionkey" in sent.headers:
            headers = CIMultiDict({"x-ms-continuation": from_the_start})
            return Received(200, headers, b'{"Documents": []}')
        return await carry_out()

    world.befall(empty_at_first)
    world.run(world.sweep())
    world.befall(None)

    assert world.left() == {}


@pytest.mark.parametrize("by", ["the delete", "the sweep"])
def test_nothing_of_another_conversation_is_removed(world: Bench, by: str) -> None:
    items = [{"role": "user", "content": "hello"}] * 3
    # In the order of their items' keys: before and behind.
    before, gone, behind = sorted(world.asked("POST", "", {"items": items})["id"] for _ in range(3))

    async def no_queries(sent: Sent, carry_out: CarryOut) -> Received:
        if "x-ms-documentdb-isquery" in sent.headers:
            return Says(503).of(sent)
        return await carry_out()

    world.befall(no_queries if by == "the sweep" else None)
    world.asked("DELETE", f"/{gone}")
    world.befall(None)
    world.advance(MARKER_SECONDS + 1)
    if by == "the sweep":
        assert world.left() == {"conversation": 2, "item": 9, "deletion": 1}
        until_nothing_is_left(world)
        assert world.left() == {"conversation": 2, "item": 6}
    for id_ in (before, behind):
        assert len(world.asked("GET", f"/{id_}/items")["data"]) == 3


def test_a_delete_gives_its_items_half_of_its_budget(world: Bench) -> None:
    id_ = world.asked("POST", "", {"items": [{"role": "user", "content": "hello"}]})["id"]

    async def silent_queries(sent: Sent, carry_out: CarryOut) -> Received:
        if "x-ms-documentdb-isquery" in sent.headers:
            await asyncio.Event().wait()
        return await carry_out()

    world.befall(silent_queries)
    started = world.loop.time()
    world.asked("DELETE", f"/{id_}")
    took = world.loop.time() - started
    world.befall(None)

    assert took == pytest.approx(2.5)
    assert world.left() == {"deletion": 1, "item": 1}
