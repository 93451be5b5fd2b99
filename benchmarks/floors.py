"""The floors: the database's work with nothing around it, through the bare SDK or written by hand.

python -m benchmarks.floors sdk | hand
"""

import asyncio
import base64
import hmac
import json
import os
import sys
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient

from benchmarks.processes import drive
from benchmarks.traffic import CONTAINER, DATABASE, ITEMS, METADATA, PAGE, user

PARTITION_KEY = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}
CONDITION = "FROM c WHERE NOT IS_DEFINED(c.last_position) OR c.last_position < 1700000000000000"
MARK = "0123456789abcdef0123456789abcdef"
QUERY = (
    "SELECT VALUE c.item FROM c WHERE c.isolation_key = @key AND c.sort_key > @low"
    " AND c.sort_key < @high ORDER BY c.sort_key DESC"
)


def _set(**values: Any) -> list[dict[str, Any]]:
    return [{"op": "set", "path": f"/{name}", "value": value} for name, value in values.items()]


UPDATE = _set(metadata=METADATA, version="0123456789abcdef")
APPEND = _set(last_position=1700000000000001, last_request=MARK)


def _items(id_: str, key: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{id_}.msg_{number:048x}",
            "isolation_key": key,
            "sort_key": f"item/{id_}/{number:014x}",
            "type": "item",
            "item": item,
            "request": MARK,
        }
        for number, item in enumerate(ITEMS)
    ]


def _conversation(id_: str, key: str) -> dict[str, Any]:
    sort_key = f"conversation/0123456789abcdef/{id_}"
    return {"id": id_, "isolation_key": key, "sort_key": sort_key, "metadata": METADATA}


def _parameters(id_: str, key: str) -> list[dict[str, Any]]:
    values = {"@key": key, "@low": f"item/{id_}/", "@high": f"item/{id_}0"}
    return [{"name": name, "value": value} for name, value in values.items()]


async def _sdk(endpoint: str, key: str) -> None:
    """The SDK as a careful caller sets it up: no environment lookups, bounded, no extra read."""
    async with CosmosClient(
        endpoint,
        key,
        transport=AioHttpTransport(use_env_settings=False),
        connection_timeout=2,
        read_timeout=2,
        retry_total=0,
        retry_throttle_total=1,
        retry_throttle_backoff_max=1,
    ) as client:
        container = ContainerProxy(
            client.client_connection,
            client.get_database_client(DATABASE).database_link,
            CONTAINER,
            properties={"partitionKey": PARTITION_KEY},
        )

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
                QUERY,
                parameters=_parameters(id_, key),
                partition_key=key,
                max_item_count=PAGE + 1,
            )
            assert len([item async for item in found]) == PAGE + 1

        async def create(number: int) -> None:
            id_, key = user(number)
            documents = [*_items(id_, key), _conversation(id_, key)]
            operations: list[Any] = [("create", (document,)) for document in documents]
            await container.execute_item_batch(operations, partition_key=key)

        await drive({"update": update, "append": append, "list": list_, "create": create})


async def _hand(endpoint: str, key: str) -> None:
    """The least that reaches Cosmos DB: one signed request, its answer read as JSON."""
    secret = base64.b64decode(key)
    container = f"dbs/{DATABASE}/colls/{CONTAINER}"

    async def send(method: str, partition_key: str, body: Any, id_: str = "", **more: str) -> Any:
        date = formatdate(usegmt=True).lower()
        link = f"{container}/docs/{id_}" if id_ else container
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
        path = f"/{container}/docs/{id_}"
        async with session.request(method, path, data=json.dumps(body), headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def batch(partition_key: str, operations: list[dict[str, Any]]) -> Any:
        await send("POST", partition_key, operations, x_ms_cosmos_is_batch_request="True")

    def creates(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"operationType": "Create", "resourceBody": document} for document in documents]

    async def update(number: int) -> None:
        id_, key = user(number)
        await send("PATCH", key, {"operations": UPDATE}, id_)

    async def append(number: int) -> None:
        id_, key = user(number)
        patch = {"operations": APPEND, "condition": CONDITION}
        last = {"operationType": "Patch", "id": id_, "resourceBody": patch}
        await batch(key, [*creates(_items(id_, key)), last])

    async def list_(number: int) -> None:
        id_, key = user(number)
        query = {"query": QUERY, "parameters": _parameters(id_, key)}
        page = {"x_ms_documentdb_isquery": "true", "x_ms_max_item_count": str(PAGE + 1)}
        await send("POST", key, query, **page)

    async def create(number: int) -> None:
        id_, key = user(number)
        await batch(key, creates([*_items(id_, key), _conversation(id_, key)]))

    async with ClientSession(endpoint) as session:
        await drive({"update": update, "append": append, "list": list_, "create": create})


FLOORS: dict[str, Callable[[str, str], Awaitable[None]]] = {"sdk": _sdk, "hand": _hand}

if __name__ == "__main__":
    asyncio.run(
        FLOORS[sys.argv[1]](  # type: ignore[arg-type]
            os.environ["COSMOS_ENDPOINT"], os.environ["COSMOS_KEY"]
        )
    )
