"""The one request that an update is, composed here and sent through the SDK's client.

The SDK's own `patch_item` sends the same bytes for 1.6 times the CPU (docs/performance.md): it
makes eleven retry policies for each request, none of which this app lets act. What is the SDK's to
know stays its own: the write region, the token, the session. This module alone uses its private
names; its version is pinned, and a test holds both requests against each other, header by header.
"""

import base64
import functools
import hmac
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import DecodeError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, HeadersPolicy
from azure.core.pipeline.transport import AsyncHttpTransport, HttpRequest
from azure.cosmos import __version__ as sdk_version
from azure.cosmos.aio import CosmosClient

from conversations.settings import Settings

USER_AGENT = f"conversations azsdk-python-cosmos/{sdk_version}"

_LOCAL = {"localhost", "127.0.0.1"}  # where the SDK does not check certificates


def shorten_pipeline(client: CosmosClient, transport: AsyncHttpTransport[Any, Any]) -> None:
    """Send the SDK's requests without what it puts around them and this app does not use.

    Of eleven policies two stay: one adds the headers of the SDK's own reads, one the token. The
    others retry, log, trace, and decode the answer a second time.
    """
    connection = client.client_connection
    policies: list[Any] = [HeadersPolicy()]
    policies += [
        policy
        for policy in connection.pipeline_client._pipeline._impl_policies
        if isinstance(policy, AsyncBearerTokenCredentialPolicy)
    ]
    connection.pipeline_client = AsyncPipelineClient(
        connection.url_connection, pipeline=AsyncPipeline(transport, policies)
    )
    connection.default_headers["User-Agent"] = USER_AGENT


class Patch:
    """Patches documents of one container through an open client."""

    def __init__(self, client: CosmosClient, settings: Settings) -> None:
        self._connection = client.client_connection
        endpoints: Any = self._connection._global_endpoint_manager
        self._write_endpoint: Callable[[], str] = endpoints.get_write_endpoint
        self._pipeline = self._connection.pipeline_client._pipeline
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
            "User-Agent": USER_AGENT,
            **{
                name: str(value)
                for name, value in self._connection.default_headers.items()
                if name.lower().startswith("x-ms-")
            },
            "x-ms-client-id": self._connection.client_id,
            "x-ms-cosmos-sdk-supportedcapabilities": "1",
            "x-ms-thinclient-proxy-resource-type": "docs",
            "x-ms-thinclient-proxy-operation-type": "Patch",
        }

    async def set(
        self, id_: str, partition_key: str | None, path: str, value: Any
    ) -> dict[str, Any]:
        """Set one property of a document; `id_` must be safe to put into a URL.

        Returns the document as it is now. Raises DatabaseFailure or DecodeError.
        """
        date = _date(int(time.time()))
        headers = {
            **self._headers,
            "x-ms-date": date,
            "x-ms-documentdb-partitionkey": json.dumps([partition_key]),
        }
        if self._key:
            headers["Authorization"] = self._signature(self._key, self._link + id_, date)
        endpoint = self._write_endpoint()
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
        # A read that follows on this instance must see the write.
        self._connection._UpdateSessionIfRequired(headers, document, response.headers)
        return document

    @staticmethod
    def _signature(key: bytes, link: str, date: str) -> str:
        """The master key signature (vendor: access control in the REST API)."""
        text = f"patch\ndocs\n{link}\n{date.lower()}\n\n"
        digest = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        return quote(f"type=master&ver=1.0&sig={digest}", safe="-_.!~*'()")


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise DecodeError("no JSON") from error
    if not isinstance(value, dict):
        raise DecodeError("no JSON object")
    return value


@functools.lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


@functools.lru_cache(maxsize=8)
def _checks_certificate(endpoint: str) -> bool:
    return urlsplit(endpoint).hostname not in _LOCAL
