"""Proves a deployment: what should work works through the gateway, and nothing works past it.

Every step is one request with an answer that only a working service gives. Needs a token for the
API in TOKEN. Prints no token, and leaves nothing behind but what a failed step could not delete.
"""

import argparse
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NoReturn

PATH = "/openai/v1/conversations"
TIMEOUT_SECONDS = 70
"""More than the gateway's own, so that its answer is what is reported."""

SHUT = {401, 403}
"""What a closed door says. A 404 is the app's own, so somebody got in."""

UNREACHABLE = (http.client.HTTPException, OSError)
"""What the library raises where nobody answers; its own URLError is an OSError."""


class Failed(Exception):
    """A step did not answer as a working service does."""


def say(line: str) -> None:
    """Print at once, so that the log of a pipeline shows where it is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def ask(
    method: str, url: str, token: str | None, body: object = None, **headers: str
) -> tuple[int, Any]:
    """Send one request; its status, and its body if that is JSON."""
    request = urllib.request.Request(url, method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, None


def expect(what: str, condition: bool, status: int) -> None:
    """Report a step; raises Failed unless it went as it should."""
    say(f"{'ok' if condition else 'FAILED'}: {what} ({status})")
    if not condition:
        raise Failed(what)


def wait_for(gateway: str, seconds: float) -> None:
    """Give a fresh deployment some time to become healthy; what it is then, the steps say."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            status, _ = ask("GET", gateway + "/health", None)
        except UNREACHABLE:
            status = 0
        if status == 204:
            return
        time.sleep(5)


def through_the_gateway(gateway: str, token: str) -> None:
    """Create, update, append, list and delete a conversation, each seen by the next."""
    url = gateway + PATH
    status, answer = ask("GET", gateway + "/health", None)
    expect("health, without a token", status == 204, status)
    status, answer = ask("POST", url, None, {})
    refused = status == 401 and answer is not None and answer["error"]["code"] == "invalid_token"
    expect("no token, no entry", refused, status)

    status, made = ask("POST", url, token, {"metadata": {"smoke": "created"}})
    expect("create", status == 200 and made["metadata"] == {"smoke": "created"}, status)
    one = f"{url}/{made['id']}"
    try:
        status, answer = ask("POST", one, token, {"metadata": {"smoke": "updated"}})
        expect("update", status == 200 and answer["metadata"] == {"smoke": "updated"}, status)
        status, answer = ask("GET", one, token)
        seen = status == 200 and answer["metadata"] == {"smoke": "updated"}
        expect("retrieve what was updated", seen, status)
        items = [{"role": "user", "content": "smoke"}, {"role": "assistant", "content": "test"}]
        status, added = ask("POST", f"{one}/items", token, {"items": items})
        expect("append", status == 200 and len(added["data"]) == len(items), status)
        status, listed = ask("GET", f"{one}/items?order=asc", token)
        in_order = status == 200 and listed["data"] == added["data"]
        expect("list the items in their order", in_order, status)
        status, listed = ask("GET", f"{url}?limit=100", token)
        found = status == 200 and made["id"] in {found["id"] for found in listed["data"]}
        expect("list the conversations", found, status)
    finally:
        status, answer = ask("DELETE", one, token)
    expect("delete", status == 200 and answer["deleted"] is True, status)
    status, answer = ask("GET", one, token)
    expect("it is gone", status == 404 and answer is not None, status)


def past_the_gateway(function_app: str, token: str) -> None:
    """Try the app's own address with what the gateway lets in; every way must be shut."""
    url = function_app + PATH
    key = {"x_ms_user_isolation_key": "smoke-test"}

    def shut(what: str, attempt: Callable[[], tuple[int, Any]]) -> None:
        try:
            status, _ = attempt()
        except UNREACHABLE:
            say(f"ok: {what} (not reachable)")
            return
        expect(what, status in SHUT, status)

    shut("the app's own address, without a token", lambda: ask("POST", url, None, {}, **key))
    shut("the app's own address, with the token", lambda: ask("POST", url, token, {}, **key))
    shut(
        "the same, and the headers of a caller that was let in",
        lambda: ask("POST", url, token, {}, **key, x_ms_client_principal_id="smoke-test"),
    )
    try:
        status, session = ask(
            "POST", f"{function_app}/.auth/login/aad", None, {"access_token": token}
        )
    except UNREACHABLE:
        return
    ticket = session.get("authenticationToken") if isinstance(session, dict) else None
    if status == 200 and ticket:
        shut(
            "a session from the token",
            lambda: ask("POST", url, None, {}, **key, X_ZUMO_AUTH=str(ticket)),
        )


def stop(problem: str) -> NoReturn:
    """Say what went wrong and end as a failure."""
    raise SystemExit(problem)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Prove that a deployment works and is shut.")
    parser.add_argument("--gateway", required=True, help="GATEWAY_URL of the deployment")
    parser.add_argument("--function-app", required=True, help="FUNCTION_APP_URL of the deployment")
    parser.add_argument(
        "--wait", type=float, default=0, help="seconds to wait for a fresh deployment (default: 0)"
    )
    options = parser.parse_args()
    token = os.environ.get("TOKEN") or stop("TOKEN is empty: a token for the API is needed")
    gateway, function_app = options.gateway.rstrip("/"), options.function_app.rstrip("/")
    try:
        wait_for(gateway, options.wait)
        # The lock first: a service that works for strangers is worse than none.
        past_the_gateway(function_app, token)
        through_the_gateway(gateway, token)
    except Failed as step:
        stop(f"The deployment does not work: {step}.")
    except UNREACHABLE as error:
        stop(f"The gateway is not reachable: {type(error).__name__}.")
    except (KeyError, TypeError):
        stop("An answer does not have the form that the API promises.")


if __name__ == "__main__":
    main()
