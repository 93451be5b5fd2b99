"""The HTTP transport under the Cosmos SDK: counts what a request costs, surfaces failures at once.

Retries nothing, and decides nothing about what a failure means.
"""

import math
import re
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
)
from azure.core.exceptions import (
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest

from conversations import usage
from conversations.database.failures import (
    DEFAULT_THROTTLE_MS,
    ConnectionBroken,
    ConnectionRefused,
    FailedAnswer,
    Silence,
)

# The SDK names the kind of resource in every request.
_RESOURCE_TYPE = "x-ms-thinclient-proxy-resource-type"

_DATA_ACTION = re.compile(rb"Microsoft\.DocumentDB/[A-Za-z/]{1,120}")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d+)?")


class Transport(AioHttpTransport):  # type: ignore[misc]  # azure-core exports it untyped
    """aiohttp as azure-core drives it, except that every failure is a DatabaseFailure.

    The SDK would re-send some failures up to 120 times, whatever the caller's budget; it does not
    know these, and the one retry that the contract allows is the store's.
    """

    async def send(
        self,
        request: HttpRequest,
        *,
        connection_timeout: float,
        read_timeout: float | None,
        connection_verify: bool,
        **_: Any,
    ) -> AsyncHttpResponse:
        """Send one request. Raises DatabaseFailure.

        What else the SDK passes is for policies that this app's pipeline is without.
        """
        about_document = request.headers.get(_RESOURCE_TYPE) == "docs"
        # What the SDK does in the background is not the request's.
        spent = usage.current.get(None) if about_document else None
        if spent:
            spent.attempts += 1
        try:
            response: AsyncHttpResponse = await super().send(
                request,
                connection_timeout=connection_timeout,
                read_timeout=read_timeout,
                connection_verify=connection_verify,
                middlewares=[_send_once] if request.method == "GET" else None,
            )
        except (ServiceRequestTimeoutError, ServiceResponseTimeoutError) as error:
            raise Silence("cosmos was silent") from error
        except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
            if isinstance(error.inner_exception, ClientConnectorError):
                raise ConnectionRefused("cosmos refused the connection") from error
            raise ConnectionBroken("cosmos broke the connection") from error
        headers = response.headers
        if spent:
            spent.request_charge += _number(headers.get("x-ms-request-charge"), 0)
        if response.status_code >= 400:
            raise FailedAnswer(
                response.status_code,
                int(_number(headers.get("x-ms-substatus"), 0)),
                about_document=about_document,
                retry_after_ms=math.ceil(
                    _number(headers.get("x-ms-retry-after-ms"), DEFAULT_THROTTLE_MS)
                ),
                headers=headers,
                action=_lacking_action(response) if response.status_code == 403 else None,
            )
        return response


def _lacking_action(response: AsyncHttpResponse) -> str | None:
    """The data action that a 403 names, and nothing else of its text.

    https://learn.microsoft.com/azure/cosmos-db/troubleshoot-forbidden
    """
    found = _DATA_ACTION.search(response.body())
    return found[0].decode() if found else None


async def _send_once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Say what became of a broken connection; aiohttp would re-send a GET, uncounted.

    It re-sends neither PATCH nor POST, and a middleware costs 30 µs, so these go without.
    """
    try:
        return await send(request)
    except ClientConnectorError:
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        raise ConnectionBroken("cosmos broke the connection") from error


def _number(text: str | None, default: float) -> float:
    """What a header says; `default` if it is absent, or no number."""
    return float(text) if text and _NUMBER.fullmatch(text) else default
