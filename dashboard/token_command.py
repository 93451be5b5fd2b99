"""Gets the token for the API from a command of the user's, such as `az account get-access-token`.

The command runs without a shell. What it prints stays in this process: it is never logged, never
put into an error and never sent to the page.
"""

import asyncio
import base64
import binascii
import json
import re
import shlex
import shutil
import time
from typing import Any

# A command that asks its user something on a terminal gets no answer here.
TIMEOUT_SECONDS = 60
# A token that ends this soon is replaced: it has to outlive the request that bears it.
EARLY_SECONDS = 120

# What may stand after "Bearer ": https://www.rfc-editor.org/rfc/rfc6750#section-2.1
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


class TokenError(Exception):
    """Why there is no token, without anything that the command printed."""


class TokenCommand:
    """Runs a command for a token, and again shortly before the token expires.

    The command prints the token alone (`--query accessToken --output tsv`), or JSON as `az account
    get-access-token` does. When it expires is read from that JSON, or from the token if it is a
    JWT; a token that does not tell is kept until the API refuses it.
    """

    def __init__(self, command: str) -> None:
        """Raise `TokenError` if `command` is none, or names a program that is not there."""
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise TokenError(f"the token command cannot be read ({error})") from error
        if not self._arguments:
            raise TokenError("the token command is empty")
        if not shutil.which(self._arguments[0]):
            raise TokenError(f"the token command's program {self._arguments[0]!r} is not found")
        self._token: str | None = None
        self._expires_at: float | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """The token that is at hand, or a new one. Raises `TokenError`."""
        async with self._lock:  # requests that come together run the command once
            now = time.time()
            if self._expires_at is not None and now > self._expires_at - EARLY_SECONDS:
                self._token = None
            if self._token is None:
                self._token, self._expires_at = _read(await self._run())
            return self._token

    def refuse(self, token: str) -> None:
        """Take note that the API did not take `token`: the next one is a new one."""
        if self._token == token:
            self._token = None

    async def _run(self) -> str:
        # Its complaints go to the terminal, where the user started this.
        process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError as error:
            raise TokenError(f"The token command took over {TIMEOUT_SECONDS} s.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise TokenError(
                f"The token command ended with exit code {process.returncode}. What it had to say "
                "is in the terminal where the dashboard runs."
            )
        return output.decode("utf-8", errors="replace").strip()


def _read(output: str) -> tuple[str, float | None]:
    """The token and when it expires, in Unix seconds, from what the command printed."""
    try:
        printed = json.loads(output)
    except ValueError:
        printed = None
    if isinstance(printed, dict):
        token = str(printed.get("accessToken") or printed.get("access_token") or "")
        expires_at = _seconds(printed.get("expires_on"))
    else:
        token, expires_at = output, None
    if not _TOKEN.fullmatch(token):
        raise TokenError("What the token command printed is no token, and no JSON that has one.")
    return token, expires_at or _expiry_of_jwt(token)


def _expiry_of_jwt(token: str) -> float | None:
    """Its `exp`. Nothing is verified: that is the API's business."""
    try:
        claims = token.split(".")[1]
        padding = "=" * (-len(claims) % 4)
        return _seconds(json.loads(base64.urlsafe_b64decode(claims + padding)).get("exp"))
    except (IndexError, ValueError, AttributeError, binascii.Error):
        return None


def _seconds(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
