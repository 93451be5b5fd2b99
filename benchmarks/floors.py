"""The floors: the database's work with nothing around it, through the bare SDK or written by hand.

GET /FLOOR/OPERATION?requests=N&in_flight=N sends so many, and tells what CPU one takes.
"""

import asyncio
import base64
import hmac
import json
import os
import time
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession, web
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient

from benchmarks.load import repeat
from benchmarks.processes import serve
from benchmarks.traffic import ITEMS, METADATA, PAGE, USERS

DATABASE, NAME = "dbs/conversations", "conversations"
CONDITION = "FROM c WHERE NOT IS_DEFINED(c.last_position) OR c.last_position < 1700000000000000"
QUERY = (
    "SELECT VALUE c.item FROM c WHERE c.isolation_key = @key AND c.sort_key > @low"
    " AND c.sort_key < @high ORDER BY c.sort_key DESC"
)
MARK = 32 * "0"


def _set(**values: Any) -> list[dict[str, Any]]:
    return [{"op": "set", "path": f"/{name}", "value": value} for name, value in values.items()]


UPDATE = _set(metadata=METADATA, version=MARK[:16])
APPEND = _set(last_position=1700000000000001, last_request=MARK)


async def _main(endpoint: str, account_key: str) -> None:
    # As a careful caller sets it up: no environment lookups, bounded, no extra read.
    options: dict[str, Any] = {"connection_timeout": 2, "read_timeout": 2, "retry_total": 0}
    options |= {"retry_throttle_total": 1, "retry_throttle_backoff_max": 1}
    options["transport"] = AioHttpTransport(use_env_settings=False)
    client = CosmosClient(endpoint, account_key, **options)
    properties = {"partitionKey": {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}}
    container = ContainerProxy(client.client_connection, DATABASE, NAME, properties=properties)

    async def update(id_: str, key: str) -> None:
        await container.patch_item(id_, partition_key=key, patch_operations=UPDATE)

    async def append(id_: str, key: str) -> None:
        operations: list[Any] = [("create", (item,)) for item in _items(id_, key)]
        operations.append(("patch", (id_, APPEND), {"filter_predicate": CONDITION}))
        await container.execute_item_batch(operations, partition_key=key)

    async def list_(id_: str, key: str) -> None:
        values = {"@key": key, "@low": f"item/{id_}/", "@high": f"item/{id_}0"}
        parameters = [{"name": name, "value": value} for name, value in values.items()]
        page: dict[str, Any] = {"parameters": parameters, "max_item_count": PAGE + 1}
        found = container.query_items(QUERY, partition_key=key, **page)
        assert len([item async for item in found]) == PAGE + 1

    async def create(id_: str, key: str) -> None:
        last = {"id": id_, "isolation_key": key, "metadata": METADATA}
        last["sort_key"] = f"conversation/0123456789abcdef/{id_}"
        operations: list[Any] = [("create", (each,)) for each in (*_items(id_, key), last)]
        await container.execute_item_batch(operations, partition_key=key)

    secret, link = base64.b64decode(account_key), f"{DATABASE}/colls/{NAME}"

    async def append_by_hand(id_: str, key: str) -> None:
        """The least that reaches Cosmos DB: one signed request, its answer read as JSON."""
        patch = {"operations": APPEND, "condition": CONDITION}
        operations = [
            *({"operationType": "Create", "resourceBody": item} for item in _items(id_, key)),
            {"operationType": "Patch", "id": id_, "resourceBody": patch},
        ]
        date = formatdate(usegmt=True).lower()
        signed = hmac.digest(secret, f"post\ndocs\n{link}\n{date}\n\n".encode(), "sha256")
        signature = base64.b64encode(signed).decode()
        headers = {
            "Authorization": quote(f"type=master&ver=1.0&sig={signature}", safe=""),
            "x-ms-cosmos-is-batch-request": "True",
            "x-ms-date": date,
            "x-ms-documentdb-partitionkey": json.dumps([key]),
            "x-ms-version": "2020-07-15",
        }
        async with session.post(f"/{link}/docs/", json=operations, headers=headers) as answer:
            answer.raise_for_status()
            await answer.json()

    floors = {
        "SDK": {"update": update, "append": append, "list": list_, "create": create},
        "hand-written": {"append": append_by_hand},
    }

    async def handle(request: web.BaseRequest) -> web.Response:
        _, floor, operation = request.path.split("/")
        send = floors[floor][operation]
        requests, in_flight = (int(request.query[name]) for name in ("requests", "in_flight"))
        cpu = time.process_time()
        await repeat(requests, in_flight, lambda number: send(*USERS[number % len(USERS)]))
        return web.json_response({"CPU": (time.process_time() - cpu) / requests})

    async with client, ClientSession(endpoint) as session:
        await serve(handle)


def _items(id_: str, key: str) -> list[dict[str, Any]]:
    common = {"isolation_key": key, "type": "item", "request": MARK}
    return [
        {"id": f"{id_}.msg_{n:048x}", "sort_key": f"item/{id_}/{n:014x}", "item": item, **common}
        for n, item in enumerate(ITEMS)
    ]


if __name__ == "__main__":
    asyncio.run(_main(os.environ["COSMOS_ENDPOINT"], os.environ["COSMOS_KEY"]))
