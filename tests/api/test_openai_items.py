"""Items and lists through the official `openai` package, which validates what it is answered."""

import asyncio
import typing
from typing import Any

import openai
import pytest
from openai.types.conversations import ConversationItem

from tests.support.openai_clients import HEADER, async_client_for, client_for
from tests.support.rest import Rest, message
from tests.support.sdk_items import SDK_ITEMS


@pytest.fixture
def client(rest: Rest) -> typing.Iterator[openai.OpenAI]:
    with client_for(rest.base_url, rest.isolation_key) as client:
        yield client


def as_sent(item: Any) -> dict[str, Any]:
    """What the agents SDKs replay to a model of an item that was read."""
    return typing.cast("dict[str, Any]", item.model_dump(exclude_unset=True))


def test_every_type_of_the_package_is_among_the_items() -> None:
    union, _ = typing.get_args(ConversationItem)
    types = [model.model_fields["type"].annotation for model in typing.get_args(union)]
    names = {name for type_ in types for name in typing.get_args(type_)}

    assert {item["type"] for item in SDK_ITEMS} == names


def test_items_of_every_type_come_back_as_sent_by_every_way(client: openai.OpenAI) -> None:
    sent: Any = SDK_ITEMS
    conversation = client.conversations.create(items=sent[:2])
    created = client.conversations.items.create(conversation.id, items=sent[2:])
    listed = list(client.conversations.items.list(conversation.id, order="asc", limit=100))
    retrieved = [
        client.conversations.items.retrieve(str(item.id), conversation_id=conversation.id)
        for item in listed
    ]

    assert created.has_more is False
    assert [as_sent(item) for item in created.data] == list(sent[2:])
    assert [as_sent(item) for item in listed] == [{**sent[0], "id": listed[0].id}, *sent[1:]]
    assert retrieved == listed
    assert {type(item).__name__ for item in listed} == {type(item).__name__ for item in retrieved}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [None, 1, 7, 100])
def test_the_paging_helpers_go_through_all_items(
    client: openai.OpenAI, order: typing.Literal["asc", "desc"], limit: int | None
) -> None:
    ids = [f"msg_{n:02}" for n in range(23)]
    conversation = client.conversations.create(items=typing.cast("Any", list(map(_message, ids))))
    options: Any = {"order": order} | ({} if limit is None else {"limit": limit})

    page = client.conversations.items.list(conversation.id, **options)
    through = [item.id for item in page]
    pages = list(client.conversations.items.list(conversation.id, **options).iter_pages())

    assert through == (ids if order == "asc" else ids[::-1])
    assert len(pages) == -(-23 // (limit or 20))
    assert [one.has_more for one in pages] == [True] * (len(pages) - 1) + [False]
    assert pages[-1].last_id == through[-1]


def _message(item_id: str) -> dict[str, Any]:
    return message(item_id, id=item_id)


def test_an_empty_list_ends_the_paging(client: openai.OpenAI) -> None:
    conversation = client.conversations.create(items=[])

    page = client.conversations.items.list(conversation.id)

    assert not page.has_next_page()
    assert page.last_id is None
    assert list(page) == []


def test_none_is_no_items_and_no_metadata(client: openai.OpenAI) -> None:
    conversation = client.conversations.create(items=None, metadata=None)

    assert conversation.metadata == {}


def test_include_as_the_package_sends_it(client: openai.OpenAI) -> None:
    reasoning: Any = SDK_ITEMS[2]
    conversation = client.conversations.create()
    include: Any = ["reasoning.encrypted_content", "message.output_text.logprobs"]

    (created,) = client.conversations.items.create(
        conversation.id, items=[reasoning], include=include
    ).data
    (listed,) = client.conversations.items.list(conversation.id, include=include)

    assert as_sent(created) == as_sent(listed) == reasoning


def test_deleting_an_item_answers_the_conversation(client: openai.OpenAI) -> None:
    conversation = client.conversations.create(
        items=typing.cast("Any", [_message("msg_1")]), metadata={"a": "1"}
    )

    deleted = client.conversations.items.delete("msg_1", conversation_id=conversation.id)

    assert deleted == conversation
    with pytest.raises(openai.NotFoundError, match="Item with id 'msg_1' not found"):
        client.conversations.items.delete("msg_1", conversation_id=conversation.id)


def test_the_packages_errors(client: openai.OpenAI) -> None:
    conversation = client.conversations.create()

    with pytest.raises(openai.BadRequestError) as wrong:
        client.conversations.items.create(
            conversation.id, items=typing.cast("Any", [{"type": "program"}])
        )
    with pytest.raises(openai.NotFoundError) as missing:
        list(client.conversations.items.list(conversation.id, after="msg_never"))

    assert (wrong.value.code, wrong.value.param) == ("missing_required_parameter", "items[0].id")
    assert (missing.value.code, missing.value.param) == (None, "after")
    assert len(missing.value.request_id or "") == 32 + 1 + 16


def test_the_asynchronous_client_pages_while_it_writes(rest: Rest) -> None:
    async def live() -> None:
        async with async_client_for(rest.base_url, str(rest.isolation_key)) as client:
            conversation = await client.conversations.create()
            items = client.conversations.items
            calls = [
                items.create(conversation.id, items=[{"role": "user", "content": f"{n}"}] * 3)
                for n in range(10)
            ]
            answers = await asyncio.gather(*calls)
            listed = [item async for item in items.list(conversation.id, order="asc", limit=4)]
            again = [
                await items.retrieve(str(item.id), conversation_id=conversation.id)
                for item in listed[:3]
            ]

            by_call = [listed[start : start + 3] for start in range(0, 30, 3)]
            assert sorted(answer.data[0].id or "" for answer in answers) == sorted(
                call[0].id or "" for call in by_call
            )
            for answer in answers:
                assert answer.data in by_call
            assert again == listed[:3]

    asyncio.run(live())


def test_conversations_are_found_by_their_metadata(client: openai.OpenAI) -> None:
    wanted = client.conversations.create(metadata={"topic": "a&b", "state": "open"})
    client.conversations.create(metadata={"topic": "a&b", "state": "closed"})

    asked = {"metadata[topic]": "a&b", "metadata[state]": "open", "limit": 5}
    found = client.get("/conversations", cast_to=dict[str, Any], options={"params": asked})

    assert found == {
        "object": "list",
        "data": [wanted.to_dict()],
        "first_id": wanted.id,
        "last_id": wanted.id,
        "has_more": False,
    }


def test_versions_by_way_of_the_raw_responses(client: openai.OpenAI) -> None:
    raw = client.conversations.with_raw_response
    created = raw.create(metadata={"n": "0"})
    id_, etag = created.parse().id, created.headers["etag"]

    updated = raw.update(id_, metadata={"n": "1"}, extra_headers={"If-Match": etag})
    with pytest.raises(openai.APIStatusError) as late:
        raw.update(id_, metadata={"n": "2"}, extra_headers={"If-Match": etag})
    merged = client.post(
        f"/conversations/{id_}",
        cast_to=dict[str, Any],
        body={"metadata": {"m": "1"}},
        options={"headers": {"Content-Type": "application/merge-patch+json"}},
    )
    etag = raw.retrieve(id_).headers["etag"]
    with pytest.raises(openai.APIStatusError) as unchanged:
        raw.retrieve(id_, extra_headers={"If-None-Match": etag})

    assert updated.headers["etag"] != created.headers["etag"]
    assert (late.value.status_code, late.value.code) == (412, "precondition_failed")
    assert merged["metadata"] == {"n": "1", "m": "1"}
    assert unchanged.value.status_code == 304
    assert unchanged.value.response.headers["etag"] == etag


def test_a_header_of_one_call_says_who_the_user_is(rest: Rest) -> None:
    with client_for(rest.base_url) as client:
        key = {HEADER: str(rest.isolation_key)}
        conversation = client.conversations.create(
            items=[{"role": "user", "content": "x"}], extra_headers=key
        )

        assert len(list(client.conversations.items.list(conversation.id, extra_headers=key))) == 1
        with pytest.raises(openai.NotFoundError):
            client.conversations.items.list(conversation.id)
