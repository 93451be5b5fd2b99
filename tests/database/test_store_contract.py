"""What the store relies on, against every Cosmos DB server at hand.

The stand-in; npm's @vercel/cosmosdb-server, which others wrote, where Node is installed; and a real
account if COSMOS_TEST_ENDPOINT and COSMOS_TEST_KEY name one: a database is created in it and
deleted again. Where a server is known to be wrong, that single case says so.
"""

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)
from azure.cosmos.partition_key import NonePartitionKeyValue

from conversations.api.isolation import IsolationKey
from conversations.resources.answers import answer_to
from conversations.resources.conversations.models import ConversationId
from conversations.resources.conversations.store import ConversationNotFound, ConversationStore
from tests.support.limits import ISOLATION_KEY_LENGTH, largest_metadata
from tests.support.node_packages import vercel_cosmosdb_server
from tests.support.servers import emulator_key, serve_cosmos
from tests.support.stores import open_store

Run = Callable[[Awaitable[Any]], Any]
WrongIn = Callable[[str, str], None]

KINDS = ["stand-in", "vercel", *(["azure"] if os.environ.get("COSMOS_TEST_ENDPOINT") else [])]

MISSING = ConversationId("conv_missing")


@dataclass(frozen=True)
class Account:
    """A server, and the container on it that the tests may use."""

    kind: str
    endpoint: str
    key: str
    database: str = "conversations"
    container: str = "conversations"

    def store(self) -> AbstractAsyncContextManager[ConversationStore]:
        """The app's store on this container, as a context manager."""
        return open_store(
            COSMOS_ENDPOINT=self.endpoint,
            COSMOS_KEY=self.key,
            COSMOS_DATABASE=self.database,
            COSMOS_CONTAINER=self.container,
        )


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Run a coroutine, always in the same loop, as a worker process does."""

    async def wait(what: Awaitable[Any]) -> Any:
        return await what

    with asyncio.Runner() as runner:
        yield lambda what: runner.run(wait(what))


@pytest.fixture(scope="module", params=KINDS)
def account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, run: Run
) -> Iterator[Account]:
    """Each server in turn."""
    with ExitStack() as stack:
        if request.param == "stand-in":
            server = stack.enter_context(serve_cosmos(tmp_path_factory.mktemp("cosmos")))
            yield Account(request.param, server.url, emulator_key())
            return
        if request.param == "vercel":
            endpoint, key = stack.enter_context(vercel_cosmosdb_server()), emulator_key()
        else:
            endpoint = os.environ["COSMOS_TEST_ENDPOINT"]
            key = os.environ["COSMOS_TEST_KEY"]
        account = Account(request.param, endpoint, key, f"test-{secrets.token_hex(6)}")
        stack.callback(lambda: run(_drop_database(account)))
        run(_create_container(account))
        yield account


async def _create_container(account: Account) -> None:
    async with CosmosClient(account.endpoint, account.key) as client:
        database = await client.create_database(account.database)
        await database.create_container(account.container, PartitionKey("/isolation_key"))


async def _drop_database(account: Account) -> None:
    async with CosmosClient(account.endpoint, account.key) as client:
        await client.delete_database(account.database)


@pytest.fixture(scope="module")
def store(account: Account, run: Run) -> Iterator[ConversationStore]:
    """The app's store on it."""
    opened = account.store()
    yield run(opened.__aenter__())
    run(opened.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def container(account: Account, run: Run) -> Iterator[ContainerProxy]:
    """The SDK's own client on it, as Microsoft ships it."""
    client = CosmosClient(account.endpoint, account.key)
    run(client.__aenter__())
    yield client.get_database_client(account.database).get_container_client(account.container)
    run(client.close())


@pytest.fixture
def key() -> IsolationKey:
    """A user of the test's own."""
    return _user()


@pytest.fixture
def wrong_in(account: Account, request: pytest.FixtureRequest) -> WrongIn:
    """Say that one server is known to fail this test, and why."""

    def mark(kind: str, reason: str) -> None:
        if account.kind == kind:
            request.applymarker(pytest.mark.xfail(reason=reason))

    return mark


def _user() -> IsolationKey:
    return IsolationKey(f"user-{secrets.token_hex(8)}")


def test_a_created_conversation_can_be_retrieved(
    store: ConversationStore, key: IsolationKey, run: Run
) -> None:
    before = int(time.time())
    created = run(store.create(key, {"a": "1"}))

    assert before <= created.created_at <= time.time()
    assert created.id.startswith(f"conv_{created.created_at:08x}")
    assert created.metadata == {"a": "1"}
    assert run(store.retrieve(key, created.id)) == created


def test_metadata_is_replaced_whole_and_nothing_else(
    store: ConversationStore, key: IsolationKey, run: Run
) -> None:
    created = run(store.create(key, {"a": "1", "b": "2"}))

    updated = run(store.replace_metadata(key, created.id, {"b": "3"}))

    assert updated == created.model_copy(update={"metadata": {"b": "3"}})
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
    store: ConversationStore, key: IsolationKey, run: Run, metadata: dict[str, str]
) -> None:
    id_ = run(store.create(key, {})).id

    assert run(store.replace_metadata(key, id_, metadata)).metadata == metadata
    assert run(store.retrieve(key, id_)).metadata == metadata
    assert run(store.create(key, metadata)).metadata == metadata


def test_a_missing_conversation_cannot_be_retrieved(
    store: ConversationStore,
    key: IsolationKey,
    run: Run,
    wrong_in: WrongIn,
) -> None:
    wrong_in("vercel", "answers 500 for reading a missing document")

    with pytest.raises(ConversationNotFound):
        run(store.retrieve(key, MISSING))


def test_a_missing_conversation_cannot_be_changed_or_deleted(
    store: ConversationStore, key: IsolationKey, run: Run
) -> None:
    with pytest.raises(ConversationNotFound):
        run(store.replace_metadata(key, MISSING, {}))
    with pytest.raises(ConversationNotFound):
        run(store.delete(key, MISSING))


def test_a_deleted_conversation_stays_deleted(
    store: ConversationStore, key: IsolationKey, run: Run
) -> None:
    id_ = run(store.create(key, {})).id

    run(store.delete(key, id_))

    with pytest.raises(ConversationNotFound):
        run(store.delete(key, id_))
    with pytest.raises(ConversationNotFound):
        run(store.replace_metadata(key, id_, {"back": "again"}))


@pytest.mark.parametrize("other", ["another", None, "null", "[null]", "{}"])
def test_a_conversation_of_another_key_is_missing(
    store: ConversationStore, key: IsolationKey, run: Run, other: str | None
) -> None:
    owner, stranger = key, None if other is None else IsolationKey(other)
    for mine, theirs in ((owner, stranger), (stranger, owner)):
        created = run(store.create(mine, {"a": "1"}))

        with pytest.raises(ConversationNotFound):
            run(store.replace_metadata(theirs, created.id, {"a": "2"}))
        with pytest.raises(ConversationNotFound):
            run(store.delete(theirs, created.id))

        assert run(store.retrieve(mine, created.id)) == created
        run(store.delete(mine, created.id))


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
def test_any_key_is_a_partition_of_its_own(
    store: ConversationStore, run: Run, spelling: str
) -> None:
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
    run(store.delete(own, created.id))


def test_concurrent_updates_leave_one_of_the_sent_values(
    store: ConversationStore, key: IsolationKey, run: Run
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
    assert last.model_copy(update={"metadata": {}}) == created


def test_a_container_that_is_missing_is_for_the_operator(
    account: Account, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "gives no sub-status for a missing container")

    async def update() -> None:
        async with replace(account, container="missing").store() as elsewhere:
            await elsewhere.replace_metadata(None, MISSING, {})

    with pytest.raises(AzureError) as failed:
        run(update())
    assert "COSMOS_CONTAINER" in str(answer_to(failed.value).reason)


def test_an_account_key_that_is_wrong_is_for_the_operator(
    account: Account, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "checks no signature")

    async def update() -> None:
        async with replace(account, key="d3Jvbmc=").store() as refused:
            await refused.replace_metadata(None, MISSING, {})

    with pytest.raises(AzureError) as failed:
        run(update())
    assert "COSMOS_KEY" in str(answer_to(failed.value).reason)


# What follows asks the servers through the SDK alone: the ground that the store stands on.


def _document(key: Any, **more: Any) -> dict[str, Any]:
    return {"id": f"conv_{secrets.token_hex(24)}", "isolation_key": key, **more}


def test_every_write_makes_a_new_etag(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = run(container.create_item(_document(key, metadata={})))
    id_, etags = document["id"], [document["_etag"]]
    for number in range(3):
        answer = run(container.patch_item(id_, key, _set(str(number))))
        assert answer["metadata"] == {"n": str(number)}
        etags.append(answer["_etag"])

    assert len(set(etags)) == 4
    assert run(container.read_item(id_, key))["_etag"] == etags[-1]


def _set(value: str) -> list[dict[str, Any]]:
    return [{"op": "set", "path": "/metadata", "value": {"n": value}}]


def test_a_patch_with_an_old_etag_is_refused(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = run(container.create_item(_document(key, metadata={})))
    id_, old = document["id"], document["_etag"]
    if_unchanged = {"etag": old, "match_condition": MatchConditions.IfNotModified}

    run(container.patch_item(id_, key, _set("1"), **if_unchanged))
    with pytest.raises(CosmosAccessConditionFailedError):
        run(container.patch_item(id_, key, _set("2"), **if_unchanged))
    with pytest.raises(CosmosAccessConditionFailedError):
        run(container.delete_item(id_, key, **if_unchanged))

    assert run(container.read_item(id_, key))["metadata"] == {"n": "1"}


def test_a_patch_with_the_last_etag_is_taken(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = run(container.create_item(_document(key, metadata={})))
    if_unchanged = {
        "etag": document["_etag"],
        "match_condition": MatchConditions.IfNotModified,
    }

    answer = run(container.patch_item(document["id"], key, _set("1"), **if_unchanged))

    assert answer["metadata"] == {"n": "1"}


def test_a_patch_with_any_etag_is_taken(
    container: ContainerProxy, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "does not know If-Match: *")
    document = run(container.create_item(_document(key, metadata={})))
    if_there = MatchConditions.IfPresent

    answer = run(container.patch_item(document["id"], key, _set("1"), match_condition=if_there))

    assert answer["metadata"] == {"n": "1"}


def test_null_and_strings_are_different_partitions(container: ContainerProxy, run: Run) -> None:
    id_ = _document(None)["id"]
    partitions = [None, "null", "undefined", "{}", "[null]"]
    for partition in partitions:
        run(container.create_item({"id": id_, "isolation_key": partition, "own": repr(partition)}))

    for partition in partitions:
        assert run(container.read_item(id_, partition))["own"] == repr(partition)
        run(container.delete_item(id_, partition))


def test_null_absent_and_empty_are_different_partitions(
    container: ContainerProxy, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "takes an absent and an empty partition key for null")
    null = _document(None)
    id_ = null["id"]
    documents: list[dict[str, Any]] = [null, {"id": id_}, {**null, "isolation_key": ""}]
    partitions: list[Any] = [None, NonePartitionKeyValue, ""]
    for document in documents:
        run(container.create_item(document))

    for number, partition in enumerate(partitions):
        run(container.patch_item(id_, partition, _set(str(number))))
    for number, partition in enumerate(partitions):
        assert run(container.read_item(id_, partition))["metadata"] == {"n": str(number)}
        run(container.delete_item(id_, partition))


def test_an_id_is_unique_in_its_partition_only(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    mine = _document(key, metadata={"n": "mine"})
    theirs = {**mine, "isolation_key": _user(), "metadata": {"n": "theirs"}}
    run(container.create_item(mine))
    run(container.create_item(theirs))

    with pytest.raises(CosmosResourceExistsError) as conflict:
        run(container.create_item({**mine, "metadata": {}}))
    run(container.patch_item(mine["id"], key, _set("1")))
    run(container.delete_item(mine["id"], key))

    assert conflict.value.status_code == 409
    untouched = run(container.read_item(theirs["id"], theirs["isolation_key"]))
    assert untouched["metadata"] == {"n": "theirs"}


def test_what_is_missing_is_not_found(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    for operation in (
        container.patch_item(MISSING, key, _set("1")),
        container.delete_item(MISSING, key),
    ):
        with pytest.raises(CosmosResourceNotFoundError) as error:
            run(operation)
        assert error.value.status_code == 404
        assert not error.value.sub_status


def test_a_patch_makes_the_property_that_was_not_there(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = _document(key, created_at=1)
    run(container.create_item(document))

    answer = run(container.patch_item(document["id"], key, _set("1")))

    ours = {name: value for name, value in answer.items() if not name.startswith("_")}
    assert ours == {**document, "metadata": {"n": "1"}}


@pytest.mark.parametrize("path", ["/id", "/isolation_key"])
def test_a_patch_cannot_move_a_document(
    container: ContainerProxy, key: IsolationKey, run: Run, path: str
) -> None:
    document = _document(key)
    run(container.create_item(document))

    with pytest.raises(CosmosHttpResponseError) as refused:
        run(
            container.patch_item(
                document["id"], key, [{"op": "set", "path": path, "value": "elsewhere"}]
            )
        )

    assert refused.value.status_code == 400
    assert run(container.read_item(document["id"], key))["isolation_key"] == key
