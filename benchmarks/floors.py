"""The floors: the database's work with nothing around it, through the bare SDK or written by hand.

python -m benchmarks.floors sdk | hand
"""

import asyncio
import base64
import hmac
import json
import os
import sys
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient

from benchmarks.processes import drive
from benchmarks.traffic import ITEMS, METADATA, PAGE, user

CONTAINER = "dbs/conversations/colls/conversations"
CONDITION = "FROM c WHERE NOT IS_DEFINED(c.last_position) OR c.last_position < 1700000000000000"
QUERY = (
    "SELECT VALUE c.item FROM c WHERE c.isolation_key = @key AND c.sort_key > @low"
    " AND c.sort_key < @high ORDER BY c.sort_key DESC"
)
MARK = 32 * "0"
UPDATE: list[dict[str, Any]] = [
    {"op": "set", "path": "/metadata", "value": METADATA},
    {"op": "set", "path": "/version", "value": MARK[:16]},
]
APPEND = [
    {"op": "set", "path": "/last_position", "value": 1700000000000001},
    {"op": "set", "path": "/last_request", "value": MARK},
]


def _items(id_: str, key: str) -> list[dict[str, Any]]:
    common = {"isolation_key": key, "type": "item", "request": MARK}
    return [
        {"id": f"{id_}.msg_{n:048x}", "sort_key": f"item/{id_}/{n:014x}", "item": item, **common}
        for n, item in enumerate(ITEMS)
    ]


def _created(id_: str, key: str) -> list[dict[str, Any]]:
    sort_key = f"conversation/0123456789abcdef/{id_}"
    last = {"id": id_, "isolation_key": key, "sort_key": sort_key, "metadata": METADATA}
    return [*_items(id_, key), last]


def _parameters(id_: str, key: str) -> list[dict[str, Any]]:
    values = {"@key": key, "@low": f"item/{id_}/", "@high": f"item/{id_}0"}
    return [{"name": name, "value": value} for name, value in values.items()]


async def _sdk(endpoint: str, account_key: str) -> None:
    """The SDK as a careful caller sets it up: no environment lookups, bounded, no extra read."""
    client = CosmosClient(
        endpoint,
        account_key,
        transport=AioHttpTransport(use_env_settings=False),
        connection_timeout=2,
        read_timeout=2,
        retry_total=0,
        retry_throttle_total=1,
        retry_throttle_backoff_max=1,
    )
    partition_key = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}
    database, _, name = CONTAINER.partition("/colls/")
    connection, properties = client.client_connection, {"partitionKey": partition_key}
    container = ContainerProxy(connection, database, name, properties=properties)

    async def update(number: int) -> None:
        id_, key = user(number)
        await container.patch_item(id_, partition_key=key, patch_operations=UPDATE)

    async def append(number: int) -> None:
        id_, key = user(number)
        operations: list[Any] = [("create", (item,)) for item in _items(id_, key)]
        operations.append(("patch", (id_, APPEND), {"filter_predicate": CONDITION}))
        await container.execute_item_batch(operations, partition_key=key)

    async def list_(number: int) -> None:
        id_, key = user(number)
        found = container.query_items(
            QUERY, parameters=_parameters(id_, key), partition_key=key, max_item_count=PAGE + 1
        )
        assert len([item async for item in found]) == PAGE + 1

    async def create(number: int) -> None:
        id_, key = user(number)
        operations: list[Any] = [("create", (document,)) for document in _created(id_, key)]
        await container.execute_item_batch(operations, partition_key=key)

    async with client:
        await drive({"update": update, "append": append, "list": list_, "create": create})


async def _hand(endpoint: str, account_key: str) -> None:
    """The least that reaches Cosmos DB: one signed request, its answer read as JSON."""
    secret = base64.b64decode(account_key)

    async def send(method: str, partition_key: str, body: Any, id_: str = "", **more: str) -> None:
        date = formatdate(usegmt=True).lower()
        link = f"{CONTAINER}/docs/{id_}" if id_ else CONTAINER
        text = f"{method.lower()}\ndocs\n{link}\n{date}\n\n"
        signature = base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()
        headers = {
            "Authorization": quote(f"type=master&ver=1.0&sig={signature}", safe=""),
            "Content-Type": "application/json",
            "x-ms-date": date,
            "x-ms-documentdb-partitionkey": json.dumps([partition_key]),
            "x-ms-version": "2020-07-15",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        path = f"/{CONTAINER}/docs/{id_}"
        async with session.request(method, path, data=json.dumps(body), headers=headers) as answer:
            answer.raise_for_status()
            await answer.json()

    async def batch(key: str, documents: list[Any], *more: Any) -> None:
        creates = [{"operationType": "Create", "resourceBody": document} for document in documents]
        await send("POST", key, [*creates, *more], x_ms_cosmos_is_batch_request="True")

    async def update(number: int) -> None:
        id_, key = user(number)
        await send("PATCH", key, {"operations": UPDATE}, id_)

    async def append(number: int) -> None:
        id_, key = user(number)
        patch = {"operations": APPEND, "condition": CONDITION}
        operation = {"operationType": "Patch", "id": id_, "resourceBody": patch}
        await batch(key, _items(id_, key), operation)

    async def list_(number: int) -> None:
        id_, key = user(number)
        query = {"query": QUERY, "parameters": _parameters(id_, key)}
        page = {"x_ms_documentdb_isquery": "true", "x_ms_max_item_count": str(PAGE + 1)}
        await send("POST", key, query, **page)

    async def create(number: int) -> None:
        id_, key = user(number)
        await batch(key, _created(id_, key))

    async with ClientSession(endpoint) as session:
        await drive({"update": update, "append": append, "list": list_, "create": create})


if __name__ == "__main__":
    floor = {"sdk": _sdk, "hand": _hand}[sys.argv[1]]
    asyncio.run(floor(os.environ["COSMOS_ENDPOINT"], os.environ["COSMOS_KEY"]))
