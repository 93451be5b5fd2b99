"""The smoke test: green on a service that works and is shut, red on every other one."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.infra import INFRA

TOKEN = "a-token-that-counts"
PATH = "/openai/v1/conversations"


class Service:
    """A gateway and an app behind it, by the contract, with one fault at most."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.conversations: dict[str, dict[str, Any]] = {}
        self.items: dict[str, list[Any]] = {}

    def gateway(self, method: str, path: str, token: str | None, body: Any) -> tuple[int, Any]:
        """Answer as the gateway."""
        path, _, _ = path.partition("?")
        if path == "/health":
            return (503, {"error": {}}) if self.fault == "unhealthy" else (204, None)
        if token != f"Bearer {TOKEN}" and self.fault != "no token needed":
            return 401, {"error": {"code": "invalid_token"}}
        if self.fault == "dead":
            return 503, {"error": {"code": "service_unavailable"}}
        _, _, name = path.removeprefix(PATH).partition("/")
        name, _, items = name.partition("/")
        if not name:
            return self.collection(method, body)
        if name not in self.conversations:
            return 404, {"error": {"code": None}}
        return self.items_of(name, method, body) if items else self.one(name, method, body)

    def collection(self, method: str, body: Any) -> tuple[int, Any]:
        """Create or list."""
        if method == "GET":
            listed = [] if self.fault == "no list" else list(self.conversations.values())
            return 200, {"data": listed}
        made = {"id": f"conv_{len(self.conversations)}", "metadata": body.get("metadata")}
        self.conversations[made["id"]] = made
        self.items[made["id"]] = []
        return 200, made

    def one(self, name: str, method: str, body: Any) -> tuple[int, Any]:
        """Retrieve, update or delete."""
        found = self.conversations[name]
        if method == "POST":
            answer = {**found, "metadata": body["metadata"]}
            if self.fault != "lost update":
                self.conversations[name] = answer
            return 200, answer
        if method == "DELETE":
            if self.fault != "lost delete":
                del self.conversations[name]
            return 200, {"deleted": True}
        return 200, found

    def items_of(self, name: str, method: str, body: Any) -> tuple[int, Any]:
        """Append or list."""
        if method == "POST":
            self.items[name] += body["items"]
            return 200, {"data": body["items"]}
        kept = self.items[name]
        return 200, {"data": kept[::-1] if self.fault == "disorder" else kept}

    def app(self, path: str, token: str | None, session: str | None) -> tuple[int, Any]:
        """Answer at the app's own address."""
        if path == "/.auth/login/aad":
            return 200, {"authenticationToken": "a-session"}
        way_in = {"open": True, "takes tokens": bool(token), "takes sessions": bool(session)}
        return (
            (200, {"id": "conv_x"}) if way_in.get(self.fault) else (401 if not token else 403, None)
        )


@contextmanager
def served(answer: Any) -> Iterator[str]:
    """Serve `answer(handler, body)` on loopback; its URL."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length", 0))
        status, body = answer(request, json.loads(request.rfile.read(length) or b"null"))
        request.send_response(status)
        written = b"" if body is None else json.dumps(body).encode()
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(written)))
        request.end_headers()
        request.wfile.write(written)

    methods = {f"do_{name}": handle for name in ("GET", "POST", "DELETE")}
    quiet = {"log_message": lambda *_: None}
    handler = type("Handler", (BaseHTTPRequestHandler,), methods | quiet)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def run(service: Service, *, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """Run the script on a service."""
    with (
        served(
            lambda request, body: service.gateway(
                request.command, request.path, request.headers["Authorization"], body
            )
        ) as gateway,
        served(
            lambda request, _: service.app(
                request.path, request.headers["Authorization"], request.headers["X-ZUMO-AUTH"]
            )
        ) as app,
    ):
        command = [sys.executable, str(INFRA / "smoke_test.py"), "--gateway", gateway]
        environment = os.environ | {"TOKEN": token, "no_proxy": "*"}
        return subprocess.run(
            [*command, "--function-app", app],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def test_a_service_that_works_and_is_shut_passes_and_nothing_is_left_behind() -> None:
    service = Service()
    done = run(service)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert service.conversations == {}
    assert TOKEN not in done.stdout


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("open", "the app's own address, without a token"),
        ("takes tokens", "the app's own address, with the token"),
        ("takes sessions", "a session from the token"),
        ("unhealthy", "health, without a token"),
        ("no token needed", "no token, no entry"),
        ("dead", "create"),
        ("lost update", "retrieve what was updated"),
        ("disorder", "list the items in their order"),
        ("no list", "list the conversations"),
        ("lost delete", "it is gone"),
    ],
)
def test_a_fault_fails_at_its_step(fault: str, step: str) -> None:
    service = Service(fault)
    done = run(service)
    assert done.returncode == 1
    assert f"FAILED: {step} (" in done.stdout
    assert step in done.stderr
    if fault != "lost delete":
        assert TOKEN not in done.stdout + done.stderr
        assert not service.conversations or fault == "no token needed"


def test_without_a_token_nothing_is_proved() -> None:
    done = run(Service(), token="")
    assert done.returncode == 1
    assert "TOKEN is empty" in done.stderr


def test_a_gateway_that_is_not_there_is_said_to_be_so() -> None:
    with served(lambda _, __: (403, None)) as app:
        command = [sys.executable, str(INFRA / "smoke_test.py"), "--function-app", app]
        done = subprocess.run(
            [*command, "--gateway", "http://127.0.0.1:1"],
            env=os.environ | {"TOKEN": TOKEN, "no_proxy": "*"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "not reachable" in done.stderr
