"""Serves the page, and passes its requests on to the API with the token.

So the browser never holds a token, and the API needs no CORS. Reached only by the page it serves:
it listens on loopback, takes no other name for itself (DNS rebinding) and no request that another
site's page sends. It adds nothing to what the API lets its user see.
"""

import mimetypes
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web
from yarl import URL

from dashboard.token_command import TokenCommand, TokenError

PAGE = Path(__file__).parent / "static"

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
API_PREFIX = "/openai/"
METHODS = frozenset({"GET", "POST", "DELETE"})
# The API takes a megabyte at most; what is longer than this is not even passed on.
MAX_BODY_BYTES = 4 * 1024 * 1024
# Longer than the API's own budget, and than API Management waits for it.
TIMEOUT = ClientTimeout(total=120, sock_connect=10)

REQUEST_HEADERS = (
    "Accept",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "x-ms-user-isolation-key",
)
RESPONSE_HEADERS = (
    "Allow",
    "Content-Type",
    "ETag",
    "Retry-After",
    "idempotent-replayed",
    "openai-processing-ms",
    "retry-after-ms",
    "x-request-id",
    "x-should-retry",
)

# Nothing but our own files runs or is loaded; pictures that a conversation holds are data.
SAFETY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Addresses of the page bear the isolation key.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ApiAddressError(Exception):
    """Why this is no address of an API."""


class Dashboard:
    """The page and the way to the API; `async with` holds the connections to it."""

    def __init__(self, api: str, token_command: TokenCommand | None = None) -> None:
        """Raise `ApiAddressError` if `api` is no address that a token may be sent to."""
        self._api = checked_api(api)
        self._token_command = token_command
        self._files = {f"/static/{file.name}": file for file in PAGE.iterdir() if file.is_file()}

    async def __aenter__(self) -> Self:
        """Open."""
        self._session = ClientSession(timeout=TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections to the API."""
        await self._session.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a server for aiohttp's `web.Server`."""
        path = request.raw_path.partition("?")[0]
        if not _is_loopback(request.headers.get("Host", "")):
            return _refusal(
                HTTPStatus.FORBIDDEN,
                "unknown_host",
                "The dashboard answers only as localhost or 127.0.0.1.",
            )
        if path.startswith(API_PREFIX):
            return await self._pass_on(request, path)
        if request.method not in ("GET", "HEAD"):
            return _refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "Only GET.", {"Allow": "GET"}
            )
        if path == "/config.json":
            config = {"api": self._api, "token": self._token_command is not None}
            return web.json_response(config, headers=SAFETY)
        is_view = path == "/" or re.fullmatch(r"/conversations/[^/]+", path)
        file = PAGE / "index.html" if is_view else self._files.get(path)
        if file is None:
            return _refusal(HTTPStatus.NOT_FOUND, "unknown_url", "There is no such page.")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return web.Response(
            body=file.read_bytes(), content_type=kind, charset="utf-8", headers=SAFETY
        )

    async def _pass_on(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if not _is_of_this_page(request.headers):
            return _refusal(
                HTTPStatus.FORBIDDEN, "cross_site", "Another site's page may not use the dashboard."
            )
        if request.method not in METHODS:
            return _refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The dashboard passes on GET, POST and DELETE.",
                {"Allow": ", ".join(sorted(METHODS))},
            )
        if {".", ".."} & set(unquote(path).replace("\\", "/").split("/")):
            return _refusal(HTTPStatus.NOT_FOUND, "unknown_url", "There is no such URL.")
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return _refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", "The body is too long."
            )
        try:
            body = await request.read()
            answer = await self._send(request, body)
            async with answer:
                return await _relay(request, answer)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", "The body is too long."
            )
        except TokenError as error:
            return _refusal(HTTPStatus.BAD_GATEWAY, "token_command_failed", str(error))
        except TimeoutError:
            return _refusal(
                HTTPStatus.GATEWAY_TIMEOUT, "api_silent", f"The API at {self._api} does not answer."
            )
        except ClientError as error:
            return _refusal(
                HTTPStatus.BAD_GATEWAY,
                "api_unreachable",
                f"The API at {self._api} cannot be reached ({type(error).__name__}).",
            )

    async def _send(self, request: web.BaseRequest, body: bytes) -> ClientResponse:
        """Send it on, and once more with a new token if the API does not take the one at hand."""
        headers = _kept(request.headers, REQUEST_HEADERS)
        url = URL(self._api + request.raw_path, encoded=True)
        for is_last in (False, True):
            token = None
            if self._token_command:
                token = await self._token_command.token()
                headers["Authorization"] = f"Bearer {token}"
            # A redirect is not followed: the token is for the API alone.
            answer = await self._session.request(
                request.method, url, data=body or None, headers=headers, allow_redirects=False
            )
            if answer.status != HTTPStatus.UNAUTHORIZED or token is None or is_last:
                break
            assert self._token_command is not None
            self._token_command.refuse(token)
            answer.release()
        return answer


def checked_api(url: str) -> str:
    """The address without a slash at its end. Raises `ApiAddressError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ApiAddressError(f"{url!r} is no address of an API, such as https://api.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ApiAddressError("the API's address has a user, a query or a fragment in it")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ApiAddressError(f"{url} is not encrypted: http is for an API on this machine only")
    return url.rstrip("/").removesuffix("/openai/v1").removesuffix("/openai")


async def _relay(request: web.BaseRequest, answer: ClientResponse) -> web.StreamResponse:
    """Send the API's answer to the page as it comes."""
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return _refusal(
            HTTPStatus.BAD_GATEWAY,
            "api_redirects",
            f"The API answered {answer.status}, a redirect. Is its address right?",
        )
    response = web.StreamResponse(
        status=answer.status, headers={**_kept(answer.headers, RESPONSE_HEADERS), **SAFETY}
    )
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_chunked(65_536):
            await response.write(chunk)
        await response.write_eof()
    except (ClientError, TimeoutError):
        # It has begun: only a broken connection can tell the page that the rest is missing.
        if request.transport:
            request.transport.abort()
    return response


def _kept(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def _is_loopback(host: str) -> bool:
    """Whether a Host header names this machine; any port, so that one can be forwarded."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


def _is_of_this_page(headers: Mapping[str, str]) -> bool:
    """Whether a request comes from our page, or from no browser at all.

    Browsers send Origin with whatever changes something, and Sec-Fetch-Site with everything.
    """
    origin = headers.get("Origin")
    return (origin is None or origin == f"http://{headers.get('Host')}") and headers.get(
        "Sec-Fetch-Site", "none"
    ) in ("same-origin", "none")


def _refusal(
    status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An error of the dashboard's own, in the API's shape."""
    error = {"message": message, "type": "dashboard_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers={**SAFETY, **(headers or {})})
