"""The floors: one patch with nothing around it, through the bare SDK or written by hand.

python -m benchmarks.floors sdk | hand
"""

import asyncio
import base64
import hmac
import json
import os
import sys
from email.utils import formatdate
from urllib.parse import quote

from aiohttp import ClientSession
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient

from benchmarks.drive import drive
from benchmarks.traffic import CONTAINER, DATABASE, METADATA, conversation

OPERATIONS = [{"op": "set", "path": "/metadata", "value": METADATA}]


async def _sdk(endpoint: str, key: str) -> None:
    """The SDK as a careful caller sets it up: no environment lookups, bounded, no extra read."""
    client = CosmosClient(
        endpoint,
        key,
        transport=AioHttpTransport(use_env_settings=False),
        connection_timeout=2,
        read_timeout=2,
        retry_total=0,
        retry_throttle_total=1,
        retry_throttle_backoff_max=1,
    )
    async with client:
        container = ContainerProxy(
            client.client_connection,
            client.get_database_client(DATABASE).database_link,
            CONTAINER,
            properties={
                "partitionKey": {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}
            },
        )

        async def update(number: int) -> None:
            id_, isolation_key = conversation(number)
            await container.patch_item(
                id_, partition_key=isolation_key, patch_operations=OPERATIONS
            )

        await drive(update)


async def _hand(endpoint: str, key: str) -> None:
    """The least that reaches Cosmos DB: one signed request, its answer read as JSON."""
    secret = base64.b64decode(key)
    async with ClientSession(endpoint) as session:

        async def update(number: int) -> None:
            id_, isolation_key = conversation(number)
            link = f"dbs/{DATABASE}/colls/{CONTAINER}/docs/{id_}"
            date = formatdate(usegmt=True).lower()
            signed = hmac.digest(secret, f"patch\ndocs\n{link}\n{date}\n\n".encode(), "sha256")
            signature = base64.b64encode(signed).decode()
            headers = {
                "Authorization": quote(f"type=master&ver=1.0&sig={signature}", safe=""),
                "Content-Type": "application/json-patch+json",
                "x-ms-date": date,
                "x-ms-documentdb-partitionkey": json.dumps([isolation_key]),
                "x-ms-version": "2020-07-15",
            }
            body = json.dumps({"operations": OPERATIONS})
            async with session.patch(f"/{link}/", data=body, headers=headers) as response:
                response.raise_for_status()
                await response.json()

        await drive(update)


if __name__ == "__main__":
    floor = {"sdk": _sdk, "hand": _hand}[sys.argv[1]]
    asyncio.run(floor(os.environ["COSMOS_ENDPOINT"], os.environ["COSMOS_KEY"]))
