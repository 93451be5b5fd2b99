"""The requests for documents of one container: the patch, composed here, and the SDK's others.

The SDK's own `patch_item` sends the same bytes for 1.6 times the CPU (docs/performance.md): it
makes eleven retry policies for each request, none of which this app lets act. What is the SDK's to
know stays its own: the write region, the token, the session.
"""

import base64
import functools
import hmac
import json
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.exceptions import DecodeError
from azure.core.pipeline.transport import HttpRequest
from azure.cosmos.aio import ContainerProxy, CosmosClient

from conversations.database import sdk_internals
from conversations.database.failures import UnreadableAnswer
from conversations.settings import Settings

Document = dict[str, Any]

# Handed to the SDK, which would otherwise read it from the account before the first operation.
PARTITION_KEY = {"paths": ["/isolation_key"], "kind": "Hash", "version": 2}

_LOCAL = {"localhost", "127.0.0.1"}  # where the SDK does not check certificates


class Documents:
    """The documents of one container, through an open client.

    The partition key is an argument of every operation: there is no way to reach a document without
    naming whose it is. Ids must be safe to put into a URL: the SDK checks none on patch, read and
    delete, and `..` would reach another resource. All raise DatabaseFailure.
    """

    def __init__(self, client: CosmosClient, settings: Settings) -> None:
        self._client = client
        database = client.get_database_client(settings.cosmos_database)
        self._container = ContainerProxy(
            client.client_connection,
            database.database_link,
            settings.cosmos_container,
            properties={"partitionKey": PARTITION_KEY},
        )
        self._pipeline = sdk_internals.pipeline(client)
        self._link = f"dbs/{settings.cosmos_database}/colls/{settings.cosmos_container}/docs/"
        self._path = quote(self._link)
        # Without a key, the pipeline adds a token.
        key = settings.cosmos_key
        self._key = key and base64.b64decode(key.get_secret_value())
        budget = settings.cosmos_timeout_seconds
        self._options = {"connection_timeout": budget, "read_timeout": budget}
        self._headers = {
            "Cache-Control": "no-cache",
            "Content-Type": "application/json-patch+json",
            "Accept": "application/json",
            **sdk_internals.default_headers(client),
            "x-ms-cosmos-sdk-supportedcapabilities": "1",
            "x-ms-thinclient-proxy-resource-type": "docs",
            "x-ms-thinclient-proxy-operation-type": "Patch",
        }

    async def create(self, document: Document) -> Document:
        """Store a new document, which names its partition itself."""
        return await _readable(self._container.create_item(document))

    async def read(self, partition_key: str | None, id_: str) -> Document:
        """Read one document."""
        return await _readable(self._container.read_item(id_, partition_key=partition_key))

    async def delete(self, partition_key: str | None, id_: str) -> None:
        """Remove one document."""
        await self._container.delete_item(id_, partition_key=partition_key)

    async def set(self, partition_key: str | None, id_: str, path: str, value: Any) -> Document:
        """Set one property of a document, in one patch. Returns the document as it is now."""
        date = _date(int(time.time()))
        headers = {
            **self._headers,
            "x-ms-date": date,
            "x-ms-documentdb-partitionkey": json.dumps([partition_key]),
        }
        if self._key:
            headers["Authorization"] = self._signature(self._key, self._link + id_, date)
        endpoint = sdk_internals.write_endpoint(self._client)
        body = {"operations": [{"op": "set", "path": path, "value": value}]}
        request = HttpRequest(
            "PATCH",
            f"{endpoint.rstrip('/')}/{self._path}{id_}/",
            headers=headers,
            data=json.dumps(body, separators=(",", ":")),
        )
        response = (
            await self._pipeline.run(
                request, connection_verify=_checks_certificate(endpoint), **self._options
            )
        ).http_response
        document = _json_object(response.body())
        sdk_internals.record_session(self._client, headers, document, response.headers)
        return document

    @staticmethod
    def _signature(key: bytes, link: str, date: str) -> str:
        """The master key signature.

        https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
        """
        text = f"patch\ndocs\n{link}\n{date.lower()}\n\n"
        digest = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        return quote(f"type=master&ver=1.0&sig={digest}", safe="-_.!~*'()")


async def _readable(answer: Any) -> Document:
    """The document that the SDK read, or UnreadableAnswer in place of its own exception."""
    try:
        document: Mapping[str, Any] = await answer
    except DecodeError as error:
        raise UnreadableAnswer from error
    return dict(document)


def _json_object(content: bytes) -> Document:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise UnreadableAnswer from error
    if not isinstance(value, dict):
        raise UnreadableAnswer
    return value


@functools.lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


@functools.lru_cache(maxsize=8)
def _checks_certificate(endpoint: str) -> bool:
    return urlsplit(endpoint).hostname not in _LOCAL
