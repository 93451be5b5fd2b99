"""The private names of azure-cosmos that this app uses: all of them, and nothing else.

The SDK is pinned, and `tests/database/test_wire.py` holds the requests composed with these against
the SDK's own. Each says which public name would replace it.
"""

from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, HeadersPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.cosmos import __version__ as sdk_version
from azure.cosmos.aio import CosmosClient

USER_AGENT = f"conversations azsdk-python-cosmos/{sdk_version}"


def shorten_pipeline(client: CosmosClient, transport: AsyncHttpTransport[Any, Any]) -> None:
    """Send the SDK's requests without what it puts around them and this app does not use.

    Of eleven policies two stay: one adds the headers of the SDK's own reads, one the token. The
    others retry, log, trace, and decode the answer a second time.

    Would be replaced by a `policies=` argument of CosmosClient; it has only `transport=`.
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


def pipeline(client: CosmosClient) -> AsyncPipeline[Any, Any]:
    """What sends a request, with a token where the client has a credential.

    Would be replaced by a public `send_request`, as other Azure SDKs have one.
    """
    sending: AsyncPipeline[Any, Any] = client.client_connection.pipeline_client._pipeline
    return sending


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


def record_session(
    client: CosmosClient, sent: dict[str, str], document: dict[str, Any], received: Any
) -> None:
    """Keep the session token of an answer: a read that follows on this client sees the write.

    Would be replaced by a public way to set a client's session token; there is only
    `session_token=` of each single read.
    """
    client.client_connection._UpdateSessionIfRequired(sent, document, received)
