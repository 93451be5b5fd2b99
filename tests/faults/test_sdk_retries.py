"""The retries of the `openai` package, as it comes, while the database fails: nothing doubles."""

import secrets
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.support.cosmos_wire import CosmosWire
from tests.support.injected_faults import (
    answers,
    carried_out,
    first,
    only,
    resets,
    silent,
    throttles,
)
from tests.support.openai_clients import client_for
from tests.support.rest import Rest, message
from tests.support.servers import serve_host

RETRIES = 2
"""As many as the package makes where nobody says otherwise."""

ITEMS: Any = [message("one"), message("two")]


@pytest.fixture(scope="module")
def hasty_url(wire: CosmosWire) -> Iterator[str]:
    """A host that gives the database a second."""
    with serve_host(wire.url, COSMOS_TIMEOUT_SECONDS="1") as server:
        yield server.url


@pytest.fixture
def rest(wire: CosmosWire, hasty_url: str) -> Iterator[Rest]:
    """The host, while `wire` is whole."""
    wire.reset()
    yield Rest(hasty_url, f"user-{secrets.token_hex(8)}")
    wire.reset()


@pytest.fixture
def client(rest: Rest) -> Iterator[openai.OpenAI]:
    with client_for(rest.base_url, rest.isolation_key, max_retries=RETRIES) as client:
        yield client


@pytest.mark.parametrize("lost", [1, 2])
def test_an_append_whose_answers_are_lost_is_stored_once(
    rest: Rest, client: openai.OpenAI, wire: CosmosWire, lost: int
) -> None:
    id_ = rest.create()["id"]
    wire.fault = only("POST", "/docs", first(lost, carried_out(wire, resets)))

    created = client.conversations.items.create(id_, items=ITEMS)

    assert [item["id"] for item in rest.all_items(id_)] == [item.id for item in created.data]


@pytest.mark.parametrize("fault", [answers(503), throttles(1), answers(449)])
def test_an_append_that_is_refused_a_few_times_is_stored_once(
    rest: Rest, client: openai.OpenAI, wire: CosmosWire, fault: Any
) -> None:
    id_ = rest.create()["id"]
    wire.fault = only("POST", "/docs", first(2, fault))

    client.conversations.items.create(id_, items=ITEMS)

    assert len(rest.all_items(id_)) == len(ITEMS)


def test_a_create_of_unknown_outcome_is_not_tried_again(
    rest: Rest, client: openai.OpenAI, wire: CosmosWire
) -> None:
    id_ = rest.create()["id"]
    # What comes in is carried out, and then nobody says a word.
    wire.fault = only("POST", "/docs", _first_then(carried_out(wire, resets), silent))

    with pytest.raises(openai.InternalServerError) as raised:
        client.conversations.items.create(id_, items=ITEMS)

    assert (raised.value.status_code, raised.value.code) == (504, "timeout")
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert "retry-after" not in raised.value.response.headers
    wire.reset()
    assert len(rest.all_items(id_)) == len(ITEMS)


def _first_then(fault: Any, then: Any) -> Any:
    """One request fails in one way, all that follow in the other."""
    left = iter([fault])

    async def each(request: Any) -> Any:
        return await next(left, then)(request)

    return each


def test_a_keyed_create_is_tried_again_and_stored_once(
    rest: Rest, client: openai.OpenAI, wire: CosmosWire
) -> None:
    id_ = rest.create()["id"]
    wire.fault = only("POST", "/docs", first(3, carried_out(wire, resets)))

    created = client.conversations.items.create(
        id_, items=ITEMS, extra_headers={"Idempotency-Key": "k"}
    )

    assert [item["id"] for item in rest.all_items(id_)] == [item.id for item in created.data]
