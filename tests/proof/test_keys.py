"""How long an Idempotency-Key counts, and what a later version of the app makes of its record."""

import json
from typing import Any

import pytest

from conversations.limits import IDEMPOTENCY_SECONDS
from tests.proof.bench import Bench

ITEMS = {"items": [{"role": "user", "content": "hello"}]}
OTHER_ITEMS = {"items": [{"role": "user", "content": "goodbye"}]}


@pytest.mark.parametrize("kind", ["create", "append"])
def test_a_key_counts_for_a_day(world: Bench, kind: str) -> None:
    path = "" if kind == "create" else f"/{world.asked('POST', '', {})['id']}/items"
    first = world.asked("POST", path, ITEMS, key="once")

    world.advance(IDEMPOTENCY_SECONDS - 1)
    again = world.request("POST", path, ITEMS, key="once")
    reused = world.request("POST", path, OTHER_ITEMS, key="once")
    world.advance(2)
    new = world.request("POST", path, OTHER_ITEMS, key="once")

    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert json.loads(again.get_body()) == first
    assert reused.status_code == 400
    assert json.loads(reused.get_body())["error"]["code"] == "idempotency_key_reused"
    assert new.status_code == 200
    assert "idempotent-replayed" not in new.headers
    assert json.loads(new.get_body()) != first


def test_a_record_whose_body_is_told_in_another_way_counts_as_the_same(world: Bench) -> None:
    first = world.asked("POST", "", {}, key="once")
    (record,) = (one for one in world.stand_in.everything() if one["type"] == "idempotency")
    stored: dict[str, Any] = {name: value for name, value in record.items() if name[0] != "_"}
    world.fill([{**stored, "body": "2:told in another way"}])

    again = world.request("POST", "", {"metadata": {"a": "b"}}, key="once")

    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert json.loads(again.get_body()) == first
