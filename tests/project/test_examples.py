"""The examples run as they stand, offline, against the app."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.rest import Rest
from tests.support.servers import environment

CHAT = ROOT / "examples" / "chat_that_remembers.py"
MAX_LINES = 40


def chat(base_url: str, user: str, lines: str, *arguments: str, **settings: str) -> list[str]:
    """Have the chat answer these lines. Returns what it printed."""
    done = subprocess.run(
        [sys.executable, str(CHAT), *arguments],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(CONVERSATIONS_URL=f"{base_url}/openai/v1", CHAT_USER=user, **settings),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def user() -> str:
    return f"user-{secrets.token_hex(8)}"


def test_the_chat_is_short_enough_to_copy() -> None:
    assert len(CHAT.read_text().splitlines()) <= MAX_LINES


def test_the_chat_remembers_after_a_restart(base_url: str, user: str) -> None:
    first, *replies = chat(base_url, user, "My name is Ada.\nWhat is my name?\n")
    assert replies == ["Things that you have said: 1.", "Things that you have said: 2."]
    started = re.fullmatch("Remembering 0 items of (conv_[0-9a-f]{48})", first)
    assert started

    again = chat(base_url, user, "And now?\n", started[1])

    assert again == [f"Remembering 4 items of {started[1]}", "Things that you have said: 3."]
    roles = [item["role"] for item in Rest(base_url, user).all_items(started[1])]
    assert roles == ["user", "assistant"] * 3


class Model(BaseHTTPRequestHandler):
    """The Responses API as any OpenAI-compatible server has it, which says what it was asked."""

    asked: list[Any]

    def do_POST(self) -> None:
        """Answer with one message."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, request["model"], self.headers["Authorization"]))
        text = f"asked with items: {len(request['input'])}"
        part = {"type": "output_text", "text": text, "annotations": []}
        body = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": request["model"],
            "output": [
                {
                    "type": "message",
                    "id": "msg_of_the_model",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            ],
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
        }
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def model() -> Iterator[tuple[str, list[Any]]]:
    """The URL of a model's server, and what it was asked."""
    asked: list[Any] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Model,), {"asked": asked}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_chat_asks_the_model_that_it_is_given(
    base_url: str, user: str, model: tuple[str, list[Any]]
) -> None:
    url, asked = model
    settings = {"MODEL": "any-model", "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "k"}

    printed = chat(base_url, user, "Hi\nAgain\n", **settings)

    assert printed[1:] == ["asked with items: 1", "asked with items: 3"]
    assert asked == [("/v1/responses", "any-model", "Bearer k")] * 2
