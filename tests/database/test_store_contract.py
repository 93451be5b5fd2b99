"""The stores against every Cosmos DB server at hand (`conftest`).

Where a server is known to be wrong, that single case says so.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.cosmos.aio import ContainerProxy

from conversations.api.isolation import IsolationKey
from conversations.api.query import conversations_query, items_query
from conversations.resources.answers import answer_to
from conversations.resources.conversations.models import Conversation, ConversationId
from conversations.resources.conversations.writes import ConversationNotFound
from conversations.resources.items.models import new_items
from tests.database.accounts import Account, Run, WrongIn
from tests.support.limits import ISOLATION_KEY_LENGTH, largest_metadata
from tests.support.stores import Stores

MISSING = ConversationId("conv_missing")

ONLY_CREATES = "of a batch's operations it knows Create alone"


@dataclass(frozen=True)
class Store:
    """The app's stores, with what these tests leave out: conditions and idempotency keys."""

    stores: Stores

    async def create(
        self, key: IsolationKey | None, metadata: dict[str, str], *texts: str
    ) -> Conversation:
        """A new conversation, with items of these texts."""
        items = new_items([_message(text) for text in texts])
        created = await self.stores.conversations.create(key, metadata, items, None)
        return created.conversation

    async def retrieve(self, key: IsolationKey | None, id_: ConversationId) -> Conversation:
        """As `ConversationStore.retrieve`."""
        return await self.stores.conversations.retrieve(key, id_)

    async def replace_metadata(
        self, key: IsolationKey | None, id_: ConversationId, metadata: dict[str, str]
    ) -> Conversation:
        """As `ConversationStore.replace_metadata`."""
        return await self.stores.conversations.replace_metadata(key, id_, metadata, None)

    async def delete(self, key: IsolationKey | None, id_: ConversationId) -> None:
        """As `ConversationStore.delete`."""
        await self.stores.conversations.delete(key, id_, None)

    async def append(self, key: IsolationKey | None, id_: ConversationId, *texts: str) -> None:
        """New items of these texts."""
        items = new_items([_message(text) for text in texts])
        await self.stores.items.append(key, id_, items, None)

    async def texts(
        self, key: IsolationKey | None, id_: ConversationId, query: str = ""
    ) -> list[str]:
        """The items' texts, as a page lists them."""
        rows = await self.stores.items.list(key, id_, items_query(f"http://host/?{query}"))
        return [json.loads(row.json)["content"][0]["text"] for row in rows.rows]

    async def conversations(self, key: IsolationKey | None, query: str = "") -> list[str]:
        """The ids of the user's conversations, as a page lists them."""
        asked = conversations_query(f"http://host/?{query}")
        return [row.id for row in (await self.stores.conversations.list(key, asked)).rows]


def _message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


@pytest.fixture(scope="module")
def store(account: Account, run: Run) -> Iterator[Store]:
    """The app's stores on it."""
    opened = account.stores()
    yield Store(run(opened.__aenter__()))
    run(opened.__aexit__(None, None, None))


def test_a_created_conversation_can_be_retrieved(store: Store, key: IsolationKey, run: Run) -> None:
    before = int(time.time())
    created = run(store.create(key, {"a": "1"}))

    assert before <= created.created_at <= time.time()
    assert created.id.startswith(f"conv_{created.created_at:08x}")
    assert created.metadata == {"a": "1"}
    assert run(store.retrieve(key, created.id)) == created


def test_metadata_is_replaced_whole_and_nothing_else(
    store: Store, key: IsolationKey, run: Run
) -> None:
    created = run(store.create(key, {"a": "1", "b": "2"}))

    updated = run(store.replace_metadata(key, created.id, {"b": "3"}))

    new = {"metadata": {"b": "3"}, "version": updated.version}
    assert updated == created.model_copy(update=new)
    assert updated.version != created.version
    assert run(store.retrieve(key, created.id)) == updated
    assert run(store.replace_metadata(key, created.id, {})).metadata == {}
    assert run(store.retrieve(key, created.id)).metadata == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {"": ""},
        {"a/b": "1", "c~d": "2", "~0~1": "3", "/": "4", "-": "5", "0": "6"},
        {"id": "x", "isolation_key": "y", "_etag": "z", "$type": "t", "created_at": "0"},
        {"__proto__": "p", "constructor": "c", "toString": "s"},
        {'"\\': '\\u0000"', "\x00\x1f\x7f": "\b\f\n\r\t", "\u2028": "\ufeff"},
        {"e\u0301": "decomposed", "\xe9": "composed"},
        largest_metadata(),
    ],
    ids=["empty", "paths", "properties", "prototype", "escapes", "unicode", "largest"],
)
def test_metadata_comes_back_as_it_was_sent(
    store: Store, key: IsolationKey, run: Run, metadata: dict[str, str]
) -> None:
    id_ = run(store.create(key, {})).id

    assert run(store.replace_metadata(key, id_, metadata)).metadata == metadata
    assert run(store.retrieve(key, id_)).metadata == metadata
    assert run(store.create(key, metadata)).metadata == metadata


def test_a_missing_conversation_cannot_be_retrieved(
    store: Store,
    key: IsolationKey,
    run: Run,
    wrong_in: WrongIn,
) -> None:
    wrong_in("vercel", "answers 500 for reading a missing document")

    with pytest.raises(ConversationNotFound):
        run(store.retrieve(key, MISSING))


def test_a_missing_conversation_cannot_be_changed(
    store: Store, key: IsolationKey, run: Run
) -> None:
    with pytest.raises(ConversationNotFound):
        run(store.replace_metadata(key, MISSING, {}))


def test_a_missing_conversation_cannot_be_deleted_or_appended_to(
    store: Store, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", ONLY_CREATES)

    with pytest.raises(ConversationNotFound):
        run(store.delete(key, MISSING))
    with pytest.raises(ConversationNotFound):
        run(store.append(key, MISSING, "a"))


def test_a_deleted_conversation_stays_deleted(
    store: Store, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", ONLY_CREATES)
    id_ = run(store.create(key, {})).id

    run(store.delete(key, id_))

    with pytest.raises(ConversationNotFound):
        run(store.delete(key, id_))
    with pytest.raises(ConversationNotFound):
        run(store.replace_metadata(key, id_, {"back": "again"}))


@pytest.mark.parametrize("other", ["another", None, "null", "[null]", "{}"])
def test_a_conversation_of_another_key_is_missing(
    store: Store, key: IsolationKey, run: Run, other: str | None
) -> None:
    owner, stranger = key, None if other is None else IsolationKey(other)
    for mine, theirs in ((owner, stranger), (stranger, owner)):
        created = run(store.create(mine, {"a": "1"}))

        with pytest.raises(ConversationNotFound):
            run(store.replace_metadata(theirs, created.id, {"a": "2"}))

        assert run(store.retrieve(mine, created.id)) == created
        assert created.id not in run(store.conversations(theirs))
        assert created.id in run(store.conversations(mine))


@pytest.mark.parametrize(
    "spelling",
    [
        "u" * ISOLATION_KEY_LENGTH,
        "a b",
        'quote"back\\slash',
        "%41",
        "+",
        "1",
        "true",
        "~!@#$^&*()_=`{}|;:'<>?/",
    ],
)
def test_any_key_is_a_partition_of_its_own(store: Store, run: Run, spelling: str) -> None:
    own = IsolationKey(spelling)
    created = run(store.create(own, {"a": "1"}))

    for near in (
        spelling[:-1] + "x",
        spelling.swapcase() + ".",
        f"{spelling}x"[-ISOLATION_KEY_LENGTH:],
    ):
        with pytest.raises(ConversationNotFound):
            run(store.replace_metadata(IsolationKey(near), created.id, {}))

    assert run(store.retrieve(own, created.id)) == created


def test_concurrent_updates_leave_one_of_the_sent_values(
    store: Store, key: IsolationKey, run: Run
) -> None:
    created = run(store.create(key, {}))
    sent = [{"n": str(number), str(number): "x" * 100} for number in range(50)]

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(
            *(store.replace_metadata(key, ConversationId(created.id), value) for value in sent)
        )

    assert [answer.metadata for answer in run(all_at_once())] == sent
    last = run(store.retrieve(key, created.id))
    assert last.metadata in sent
    unchanged = {"metadata": {}, "version": created.version}
    assert last.model_copy(update=unchanged) == created


def test_items_of_a_create_are_listed_in_both_orders(
    store: Store, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", ONLY_CREATES)  # a list looks at the conversation, by a batch
    created = run(store.create(key, {}, "a", "b", "c"))

    assert run(store.texts(key, created.id)) == ["c", "b", "a"]
    assert run(store.texts(key, created.id, "order=asc&limit=2")) == ["a", "b"]


def test_an_append_goes_behind_what_is_there(
    store: Store, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", ONLY_CREATES)
    created = run(store.create(key, {}, "a"))

    run(store.append(key, created.id, "b", "c"))
    run(store.append(key, created.id, "d"))

    assert run(store.texts(key, created.id, "order=asc")) == ["a", "b", "c", "d"]
    assert run(store.retrieve(key, created.id)) == created


def test_concurrent_appends_are_all_there_and_adjacent(
    store: Store, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", ONLY_CREATES)
    id_ = run(store.create(key, {})).id

    async def all_at_once() -> None:
        await asyncio.gather(*(store.append(key, id_, f"{n}a", f"{n}b") for n in range(20)))

    run(all_at_once())

    texts = run(store.texts(key, id_, "order=asc&limit=100"))
    assert texts[1::2] == [text.replace("a", "b") for text in texts[::2]]
    assert sorted(texts) == sorted(f"{n}{half}" for n in range(20) for half in "ab")


def test_what_is_deleted_takes_its_items_along(
    store: Store, container: ContainerProxy, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", ONLY_CREATES)
    id_ = run(store.create(key, {}, "a", "b")).id

    run(store.delete(key, id_))

    async def stored() -> list[str]:
        query = "SELECT VALUE c.id FROM c WHERE c.isolation_key = @key"
        parameters: list[dict[str, object]] = [{"name": "@key", "value": key}]
        found = container.query_items(query, parameters=parameters, partition_key=key)
        return [str(one) async for one in found]

    assert run(stored()) == [f"deletion.{id_}"]


def test_conversations_are_listed_by_age_and_metadata(
    store: Store, key: IsolationKey, run: Run
) -> None:
    ids = [run(store.create(key, {"n": str(number % 2), "a.b": "c"})).id for number in range(4)]
    within_a_second = sorted(ids)

    assert run(store.conversations(key, "order=asc")) == within_a_second
    assert run(store.conversations(key)) == within_a_second[::-1]
    odd = run(store.conversations(key, "metadata[n]=1&metadata[a.b]=c"))
    assert sorted(odd) == sorted(ids[1::2])


def test_a_container_that_is_missing_is_for_the_operator(
    account: Account, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "gives no sub-status for a missing container")

    async def update() -> None:
        async with replace(account, container="missing").stores() as elsewhere:
            await Store(elsewhere).replace_metadata(None, MISSING, {})

    with pytest.raises(AzureError) as failed:
        run(update())
    assert "COSMOS_CONTAINER" in str(answer_to(failed.value).reason)


def test_an_account_key_that_is_wrong_is_for_the_operator(
    account: Account, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "checks no signature")

    async def update() -> None:
        async with replace(account, key="d3Jvbmc=").stores() as refused:
            await Store(refused).replace_metadata(None, MISSING, {})

    with pytest.raises(AzureError) as failed:
        run(update())
    assert "COSMOS_KEY" in str(answer_to(failed.value).reason)
