"""The official `openai` package as the client, synchronous and asynchronous."""

import asyncio

import openai
import pytest

from tests.support.limits import METADATA_VALUE_LENGTH
from tests.support.openai_clients import HEADER, async_client_for, client_for


@pytest.mark.parametrize("isolation_key", [None, "alice"])
def test_the_whole_life_of_a_conversation(base_url: str, isolation_key: str | None) -> None:
    with client_for(base_url, isolation_key) as client:
        created = client.conversations.create(metadata={"topic": "demo"})
        updated = client.conversations.update(created.id, metadata={"topic": "new", "x": "y"})
        retrieved = client.conversations.retrieve(created.id)
        deleted = client.conversations.delete(created.id)

        assert created.object == "conversation"
        assert created.metadata == {"topic": "demo"}
        assert updated.id == created.id
        assert updated.created_at == created.created_at
        assert updated.metadata == {"topic": "new", "x": "y"}
        assert retrieved == updated
        assert deleted.deleted
        assert deleted.object == "conversation.deleted"
        with pytest.raises(openai.NotFoundError):
            client.conversations.retrieve(created.id)


def test_the_key_can_be_sent_with_one_call(base_url: str) -> None:
    with client_for(base_url) as client:
        created = client.conversations.create(extra_headers={HEADER: "alice"})

        updated = client.conversations.update(
            created.id, metadata={"a": "1"}, extra_headers={HEADER: "alice"}
        )

        assert updated.metadata == {"a": "1"}


def test_metadata_none_clears(base_url: str) -> None:
    with client_for(base_url, "alice") as client:
        created = client.conversations.create(metadata={"a": "1"})

        assert client.conversations.update(created.id, metadata=None).metadata == {}


def test_the_asynchronous_client(base_url: str) -> None:
    async def live() -> None:
        async with async_client_for(base_url, "async-user") as client:
            created = await client.conversations.create(metadata={"n": "0"})
            updates = [
                client.conversations.update(created.id, metadata={"n": str(n)}) for n in range(10)
            ]
            updated = await asyncio.gather(*updates)
            retrieved = await client.conversations.retrieve(created.id)
            deleted = await client.conversations.delete(created.id)
            with pytest.raises(openai.NotFoundError) as raised:
                await client.conversations.update(created.id, metadata={})

            assert [conversation.metadata for conversation in updated] == [
                {"n": str(n)} for n in range(10)
            ]
            assert retrieved in updated
            assert deleted.id == created.id
            assert raised.value.request_id

    asyncio.run(live())


def test_another_users_conversation_is_not_found(base_url: str) -> None:
    with client_for(base_url, "alice") as alice, client_for(base_url, "bob") as bob:
        created = alice.conversations.create()

        with pytest.raises(openai.NotFoundError) as raised:
            bob.conversations.update(created.id, metadata={})

        assert raised.value.status_code == 404
        assert raised.value.code is None
        assert raised.value.type == "invalid_request_error"
        assert raised.value.body == {
            "message": f"Conversation with id '{created.id}' not found.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }


def test_an_invalid_update_is_a_bad_request_error(base_url: str) -> None:
    with client_for(base_url, "alice") as client:
        created = client.conversations.create()

        with pytest.raises(openai.BadRequestError) as raised:
            client.conversations.update(
                created.id, metadata={"k": "v" * (METADATA_VALUE_LENGTH + 1)}
            )

        assert raised.value.code == "string_above_max_length"
        assert raised.value.param == "metadata.k"
        assert raised.value.type == "invalid_request_error"
        assert raised.value.request_id == raised.value.response.headers["x-request-id"]
        assert len(raised.value.request_id or "") == 32 + 1 + 16


def test_the_request_id_is_on_success_too(base_url: str) -> None:
    with client_for(base_url, "alice") as client:
        created = client.conversations.create()

        assert len(created._request_id or "") == 32 + 1 + 16
