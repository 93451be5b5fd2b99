"""The web server under the host and the stand-in keeps to what Kestrel does."""

import gzip
import json
import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from tests.support.local_host import serving
from tests.support.raw import refused_by_the_web_server, send
from tests.support.rest import Rest


@pytest.fixture(scope="module")
def echo() -> Iterator[Rest]:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route("echo", methods=["POST"])
    async def echo(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.get_body())

    with serving(app) as rest:
        yield rest


def test_a_compressed_body_is_left_as_it_is(echo: Rest) -> None:
    body = gzip.compress(b"text")

    assert echo.send("POST", "/echo", body, {"Content-Encoding": "gzip"}).body == body


def test_a_body_of_many_megabytes_passes(echo: Rest) -> None:
    body = b"x" * (8 * 1024 * 1024)

    assert echo.send("POST", "/echo", body).body == body


def test_what_is_no_http_is_answered_in_the_shape_of_the_api_and_not_logged(
    echo: Rest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "aiohttp")
    answer = send(echo.base_url, b"GET / HTTP/1.1\r\nsecret\r\n\r\n")

    assert refused_by_the_web_server(answer)
    assert json.loads(answer.body) == {
        "error": {
            "message": "Malformed HTTP request.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
    }
    assert answer.headers["content-type"].startswith("application/json")
    assert "secret" not in caplog.text


def test_after_what_is_no_http_the_connection_is_closed(echo: Rest) -> None:
    url = urlsplit(echo.base_url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=30) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.count(b" 400 ") == 1
