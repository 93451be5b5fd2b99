"""HTTP to the account: counts what a request costs, surfaces failures at once.

Retries nothing, and decides nothing about what a failure means.
"""

import math
import re
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
)
from aiohttp.http_exceptions import ContentEncodingError
from azure.core.pipeline.transport import (
    AioHttpTransportResponse,
    AsyncHttpTransport,
    HttpRequest,
)

from conversations import usage
from conversations.database.failures import (
    DEFAULT_THROTTLE_MS,
    ConnectionBroken,
    ConnectionRefused,
    FailedAnswer,
    Silence,
    UnreadableAnswer,
)

_DATA_ACTION = re.compile(rb"Microsoft\.DocumentDB/[A-Za-z/]{1,120}")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d+)?")


class Transport(AsyncHttpTransport[HttpRequest, AioHttpTransportResponse]):
    """One pool of connections, for the app's own requests and under the SDK's.

    Every failure is a DatabaseFailure. The SDK would re-send some failures up to 120 times,
    whatever the caller's budget; it does not know these, and the one retry that the contract allows
    is the session's.

    `timeout_seconds` is what a connection may take.
    """

    def __init__(self, timeout_seconds: float, *, proxy_from_environment: bool) -> None:
        self._proxy_from_environment = proxy_from_environment
        self._session: ClientSession | None = None
        # For an answer about documents the request's own deadline is enough: another timer costs.
        self._limits = ClientTimeout(sock_connect=timeout_seconds)

    async def open(self) -> None:
        """Make the pool; its connections are opened when they are needed."""
        if self._session is None:
            self._session = ClientSession(
                cookie_jar=DummyCookieJar(), trust_env=self._proxy_from_environment
            )

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def __aenter__(self) -> "Transport":
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        *,
        check_certificate: bool,
    ) -> tuple[bytes, Mapping[str, str]]:
        """Send a request about documents; what it costs is the current request's.

        Returns the answer's content, and its headers, by name in any case. Raises DatabaseFailure.
        """
        spent = usage.current.get(None)
        if spent:
            spent.attempts += 1
        answer = await self._exchange(
            method, url, headers, content, limits=self._limits, check_certificate=check_certificate
        )
        if spent:
            spent.request_charge += _number(answer.headers.get("x-ms-request-charge"), 0)
        if answer.status >= 400:
            raise await _failure(answer, about_document=True)
        return await answer.read(), answer.headers

    async def send(self, request: HttpRequest, **options: Any) -> AioHttpTransportResponse:
        """Send a request of the SDK's own, with its timeouts. Raises DatabaseFailure.

        What else the SDK passes is for policies that this app's pipeline is without.
        """
        answer = await self._exchange(
            request.method,
            request.url,
            request.headers,
            request.data,
            limits=ClientTimeout(
                sock_connect=options["connection_timeout"], sock_read=options["read_timeout"]
            ),
            check_certificate=options["connection_verify"],
        )
        if answer.status >= 400:
            raise await _failure(answer, about_document=False)
        response = AioHttpTransportResponse(request, answer, decompress=False)
        await response.load_body()
        return response

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: Any,
        *,
        limits: ClientTimeout,
        check_certificate: bool,
    ) -> ClientResponse:
        """One request, and its answer with all of its content."""
        assert self._session is not None
        try:
            answer = await self._session.request(
                method,
                url,
                headers=headers,
                data=content,
                timeout=limits,
                ssl=check_certificate,
                allow_redirects=False,
                middlewares=[_send_once] if method == "GET" else None,
            )
            await answer.read()
        except TimeoutError as error:
            raise Silence("cosmos was silent") from error
        except ClientConnectorError as error:
            raise ConnectionRefused("cosmos refused the connection") from error
        except ClientError as error:
            if isinstance(error.__cause__, ContentEncodingError):
                raise UnreadableAnswer(
                    "cosmos answered something that cannot be unpacked; check COSMOS_ENDPOINT"
                ) from error
            raise ConnectionBroken("cosmos broke the connection") from error
        return answer


async def _failure(answer: ClientResponse, *, about_document: bool) -> FailedAnswer:
    headers = answer.headers
    return FailedAnswer(
        answer.status,
        int(_number(headers.get("x-ms-substatus"), 0)),
        about_document=about_document,
        retry_after_ms=math.ceil(_number(headers.get("x-ms-retry-after-ms"), DEFAULT_THROTTLE_MS)),
        headers=headers,
        action=(
            _lacking_action(await answer.read()) if answer.status == HTTPStatus.FORBIDDEN else None
        ),
    )


def _lacking_action(content: bytes) -> str | None:
    """The data action that a 403 names, and nothing else of its text.

    https://learn.microsoft.com/azure/cosmos-db/troubleshoot-forbidden
    """
    found = _DATA_ACTION.search(content)
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
