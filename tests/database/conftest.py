"""Every Cosmos DB server at hand, for what the store relies on.

The stand-in; npm's @vercel/cosmosdb-server, which others wrote, where Node is installed; and a real
account if COSMOS_TEST_ENDPOINT and COSMOS_TEST_KEY name one: a database is created in it and
deleted again.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient

from conversations.api.isolation import IsolationKey
from tests.database.accounts import Account, Run, WrongIn, new_user
from tests.support.node_packages import vercel_cosmosdb_server
from tests.support.servers import emulator_key, serve_cosmos

KINDS = ["stand-in", "vercel", *(["azure"] if os.environ.get("COSMOS_TEST_ENDPOINT") else [])]


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
def container(account: Account, run: Run) -> Iterator[ContainerProxy]:
    """The SDK's own client on it, as Microsoft ships it."""
    client = CosmosClient(account.endpoint, account.key)
    run(client.__aenter__())
    yield client.get_database_client(account.database).get_container_client(account.container)
    run(client.close())


@pytest.fixture
def key() -> IsolationKey:
    """A user of the test's own."""
    return new_user()


@pytest.fixture
def wrong_in(account: Account, request: pytest.FixtureRequest) -> WrongIn:
    """Say that one server is known to fail this test, and why."""

    def mark(kind: str, reason: str) -> None:
        if account.kind == kind:
            request.applymarker(pytest.mark.xfail(reason=reason))

    return mark
