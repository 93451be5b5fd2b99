"""What the retries of the `openai` package do when an answer is lost on its way to the client.

Failures of the database are in tests/faults; here the app is well, and the client tries again
because it heard nothing.
"""

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from tests.support.openai_clients import client_for
from tests.support.rest import Rest, message

KEY = {"Idempotency-Key": "k"}


class LosingTransport(httpx2.HTTPTransport):
    """Sends every request, and loses the first answer."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send; then fail as a connection that broke."""
        answer = super().handle_request(request)
        self.sent += 1
        if self.sent > 1:
            return answer
        answer.close()
        raise httpx2.ReadError("the answer was lost", request=request)


def losing_client(rest: Rest, transport: LosingTransport) -> openai.OpenAI:
    http_client = openai.DefaultHttpx2Client(transport=transport)
    return client_for(rest.base_url, rest.isolation_key, max_retries=1, http_client=http_client)


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create(items=[message(id="msg_first")])["id"])


def retried(rest: Rest, call: Callable[[openai.OpenAI], Any]) -> Any:
    """What the call answers at its second attempt."""
    transport = LosingTransport()
    try:
        with losing_client(rest, transport) as client:
            return call(client)
    finally:
        assert transport.sent == 2


def test_a_keyed_append_is_not_doubled(rest: Rest, conversation_id: str) -> None:
    items: Any = [message("a"), message("b")]

    created = retried(
        rest,
        lambda client: client.conversations.items.create(
            conversation_id, items=items, extra_headers=KEY
        ),
    )

    assert [item["id"] for item in rest.all_items(conversation_id)] == [
        "msg_first",
        *(item.id for item in created.data),
    ]


def test_a_keyed_create_is_not_doubled(rest: Rest) -> None:
    created = retried(
        rest,
        lambda client: client.conversations.create(
            items=[{"role": "user", "content": "x"}], extra_headers=KEY
        ),
    )

    assert rest.list_conversations().ids == [created.id]
    assert len(rest.all_items(created.id)) == 1


def test_an_append_with_ids_of_its_own_is_not_doubled(rest: Rest, conversation_id: str) -> None:
    items: Any = [message(id="msg_mine")]

    with pytest.raises(openai.BadRequestError, match="Item already in conversation"):
        retried(
            rest, lambda client: client.conversations.items.create(conversation_id, items=items)
        )

    assert [item["id"] for item in rest.all_items(conversation_id)] == ["msg_first", "msg_mine"]


def test_an_update_is_as_one(rest: Rest, conversation_id: str) -> None:
    updated = retried(
        rest, lambda client: client.conversations.update(conversation_id, metadata={"a": "1"})
    )

    assert updated.to_dict() == rest.retrieve(conversation_id).json()


def test_a_delete_that_was_done_is_told_as_missing(rest: Rest, conversation_id: str) -> None:
    with pytest.raises(openai.NotFoundError):
        retried(
            rest,
            lambda client: client.conversations.items.delete(
                "msg_first", conversation_id=conversation_id
            ),
        )

    assert rest.all_items(conversation_id) == []
