"""The second lock: the request bears a token of the gateway, or it is refused.

What stands in front (App Service authentication) can be switched off; this cannot, unless its
settings go. The rules: docs/contract.md#gateway-lock. Never looks at what the token says beyond who
it was issued to, and keeps none: only its hash, until it expires.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import jwt

from conversations.api.errors import ApiError, ErrorDetail, ServiceUnavailable
from conversations.limits import (
    ISSUER_KEYS_SECONDS,
    MAX_REMEMBERED_TOKENS,
    TOKEN_LEEWAY_SECONDS,
)
from conversations.settings import SAFE_URL

_FETCH_SECONDS = 5


class Forbidden(ApiError):
    """Whoever sent this is not the gateway."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, reason: str) -> None:
        message = "Only the gateway may call this service."
        super().__init__(ErrorDetail(message, "forbidden"), reason=reason)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Whose tokens are let in: the object id of the gateway's identity, and where they come from.

    `issuer` is the URL that the token names, below which its keys are published; `audience` the
    application that it is for.
    """

    principal_id: str
    issuer: str
    audience: str


class CallerCheck:
    """Checks the token of every request. Fetches the issuer's keys when first asked."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._let_in: dict[bytes, float] = {}  # by hash of the token: until when

    async def check(self, headers: Mapping[str, str]) -> None:
        """Return if the request is the gateway's. Raises Forbidden, ServiceUnavailable."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Forbidden("no bearer token")
        name = hashlib.sha256(token.encode()).digest()
        if self._let_in.get(name, 0) > time.time():
            return
        claims = await self._verified(token.strip())
        if claims["oid"] != self._gateway.principal_id:
            raise Forbidden("the token is another principal's")
        if len(self._let_in) >= MAX_REMEMBERED_TOKENS:
            self._let_in.clear()
        self._let_in[name] = claims["exp"] + TOKEN_LEEWAY_SECONDS

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError as error:
            raise Forbidden("the token is none") from error
        key = await self._key(str(key_id))
        if key is None:
            raise Forbidden("the token is signed with an unknown key")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._gateway.audience,
                issuer=self._gateway.issuer,
                leeway=TOKEN_LEEWAY_SECONDS,
                options={"require": ["exp", "nbf", "oid"]},
            )
        except jwt.InvalidTokenError as error:
            raise Forbidden(f"the token is not valid: {type(error).__name__}") from error
        return claims

    async def _key(self, key_id: str) -> jwt.PyJWK | None:
        """The key of this id; those of the issuer are fetched anew for one that is not known."""
        rested = time.monotonic() - self._fetched >= ISSUER_KEYS_SECONDS
        if key_id not in self._keys and rested:
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.create_task(self._fetch())
            # Requests that come meanwhile share it; one that is cancelled leaves it to the others.
            await asyncio.shield(self._fetching)
        return self._keys.get(key_id)

    async def _fetch(self) -> None:
        url = f"{self._gateway.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
            async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:
                async with session.get(url) as answer:
                    keys_url = str((await answer.json(content_type=None))["jwks_uri"])
                if not re.match(SAFE_URL, keys_url):
                    raise ServiceUnavailable("the issuer's keys are published in the clear")
                async with session.get(keys_url) as answer:
                    published = jwt.PyJWKSet.from_dict(await answer.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise ServiceUnavailable(f"no keys of the issuer: {type(error).__name__}") from error
        except jwt.PyJWTError as error:
            raise ServiceUnavailable("the issuer publishes no keys that can be used") from error
        self._keys = {key.key_id: key for key in published.keys if key.key_id}
        self._fetched = time.monotonic()
