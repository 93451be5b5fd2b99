"""The private names of azure-cosmos that this app uses: all of them, and nothing else.

The SDK is pinned, and `tests/database/test_composed_requests.py` holds the requests composed with
these against the SDK's own. Each says which public name would replace it.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.pipeline import AsyncPipeline, PipelineContext, PipelineRequest
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, HeadersPolicy
from azure.core.pipeline.transport import AsyncHttpTransport, HttpRequest
from azure.cosmos import PartitionKey
from azure.cosmos import __version__ as sdk_version
from azure.cosmos.aio import CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError

_SESSION_HEADERS = ("x-ms-session-token", "x-ms-documentdb-partitionkeyrangeid")

USER_AGENT = f"conversations azsdk-python-cosmos/{sdk_version}"


def shorten_pipeline(client: CosmosClient, transport: AsyncHttpTransport[Any, Any]) -> None:
    """Send the SDK's requests without what it puts around them and this app does not use.

    Of eleven policies two stay: one adds the headers of the SDK's own reads, one the token. The
    others retry, log, trace, and decode the answer a second time.

    Would be replaced by a `policies=` argument of CosmosClient; it has only `transport=`.
    """
    connection = client.client_connection
    policies = [HeadersPolicy(), *_token_policies(client)]
    connection.pipeline_client = AsyncPipelineClient(
        connection.url_connection, pipeline=AsyncPipeline(transport, policies)
    )
    connection.default_headers["User-Agent"] = USER_AGENT


async def add_token(client: CosmosClient, url: str, headers: dict[str, str]) -> None:
    """Add the token of the client's credential to a request; the SDK keeps it while it is valid.

    Raises AzureError. Would be replaced by a public `send_request`, as other Azure SDKs have one.
    """
    request = HttpRequest("GET", url)
    request.headers = headers
    for policy in _token_policies(client):
        await policy.on_request(PipelineRequest(request, PipelineContext(None)))


def _token_policies(client: CosmosClient) -> list[Any]:
    """What adds a token to a request; nothing where the client has a key."""
    policies = client.client_connection.pipeline_client._pipeline._impl_policies
    return [one for one in policies if isinstance(one, AsyncBearerTokenCredentialPolicy)]


def default_headers(client: CosmosClient) -> dict[str, str]:
    """The SDK's headers of every request: protocol version, consistency, and who is calling.

    Would not be needed with a public `send_request`.
    """
    connection = client.client_connection
    headers = {
        name: str(value)
        for name, value in connection.default_headers.items()
        if name.lower().startswith("x-ms-")
    }
    return {**headers, "User-Agent": USER_AGENT, "x-ms-client-id": connection.client_id}


def write_endpoint(client: CosmosClient) -> str:
    """The URL of the region that takes writes now; the SDK follows the account's moves.

    Would be replaced by a public property of the client.
    """
    endpoints: Any = client.client_connection._global_endpoint_manager
    endpoint: str = endpoints.get_write_endpoint()
    return endpoint


def read_endpoint(client: CosmosClient) -> str:
    """The URL of the region to read from now; see `write_endpoint`."""
    endpoints: Any = client.client_connection._global_endpoint_manager
    endpoint: str = endpoints.get_read_endpoint()
    return endpoint


def describe_container(client: CosmosClient, link: str, partition_key: dict[str, Any]) -> None:
    """Tell the client a container's partition key, which it would otherwise read when it needs it.

    Would be replaced by a public `properties=` of `get_container_client`.
    """
    properties = {"_self": None, "_rid": None, "partitionKey": partition_key}
    client.client_connection._set_container_properties_cache(
        link, {**properties, "container_link": link}
    )


async def session_token(
    client: CosmosClient, container: str, partition_key: str | None
) -> str | None:
    """The newest state that this client knows of: a read must not be answered with an older one.

    None on an account whose consistency needs none. Asks for the partitions once, when there is a
    token to choose. Would be replaced by a public getter; the SDK adds the header in its own reads.
    """
    connection: Any = client.client_connection
    if connection.session is None or not is_session_consistent(client):
        return None
    tokens = connection.session.session_container
    if not tokens.rid_to_session_token:
        return None
    partitions = connection._routing_map_provider
    try:
        known = await partitions.get_routing_map(container, {})
    except Exception:  # whatever the SDK makes of an answer that it cannot use: as in its own reads
        return None
    range_ = known and _range(known, partition_key)
    if not range_:
        return None
    token: str = await tokens.get_session_token_async(
        f"{container}/docs/",
        None,
        connection._container_properties_cache,
        partitions,
        range_,
        {},
    )
    return token or None


@lru_cache(maxsize=4096)
def _range(known: Any, partition_key: str | None) -> str | None:
    """The partition that holds a key, of the ones known; after a split that is another object.

    Remembered, for the SDK hashes in plain Python. Would be replaced by the public getter that
    `session_token` is waiting for.
    """
    any_path = PartitionKey("/any", version=2)  # the version that the container has
    hashed = any_path._get_epk_range_for_partition_key([partition_key])
    holding = known.get_overlapping_ranges([hashed])
    return holding[0]["id"] if holding else None


def is_session_consistent(client: CosmosClient) -> bool:
    """Whether the account's default consistency is Session; the SDK has read it when it opened.

    Would be replaced by a public property of the client.
    """
    connection = client.client_connection
    return connection.default_headers.get("x-ms-consistency-level") == "Session"


def record_session(
    client: CosmosClient, container: str, sent: Mapping[str, str], received: Mapping[str, str]
) -> None:
    """Keep the session token of an answer: a read that follows on this client sees the write.

    `sent` and `received` are headers.

    A token that the SDK cannot read, or not put together with the last one, is left: the request
    that it came with was carried out all the same.

    Would be replaced by a public way to set a client's session token; there is only
    `session_token=` of each single read. The SDK itself records none of a batch.
    """
    answered = {name: received[name] for name in _SESSION_HEADERS if name in received}
    # By this the SDK finds the container, and no page promises it for every answer.
    answered["x-ms-alt-content-path"] = container
    with suppress(CosmosHttpResponseError):
        client.client_connection._UpdateSessionIfRequired(sent, {}, answered)
