"""Requests byte by byte, for those that http.client refuses to send."""

import http.client
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.support.rest import Answer

TIMEOUT_SECONDS = 30

Headers = Sequence[tuple[bytes, bytes]]


def request(
    method: bytes, target: bytes, headers: Headers = (), body: bytes | None = None
) -> bytes:
    """An HTTP/1.1 request, well-formed if its parts are. `body` None: neither body nor length."""
    lines = [b"%s %s HTTP/1.1" % (method, target)]
    if not any(name.lower() == b"host" for name, _ in headers):
        lines.append(b"Host: localhost")
    lines += [b"%s: %s" % header for header in headers]
    lines.append(b"Connection: close")
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body or b""])


def send(base_url: str, content: bytes) -> Answer:
    """Send `content` on a connection of its own and read the one answer to it."""
    url = urlsplit(base_url)
    assert url.hostname is not None
    with socket.create_connection((url.hostname, url.port or 80), TIMEOUT_SECONDS) as connection:
        connection.sendall(content)
        response = http.client.HTTPResponse(
            connection, method=content.split(b" ")[0].decode("latin-1")
        )
        with response:
            response.begin()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )


def refused_by_the_web_server(answer: Answer) -> bool:
    """Whether the request was no HTTP to the web server, so that no function ever saw it.

    The app's own answers all have a request id. In Azure the server is Kestrel, whose refusals look
    different but are no more the app's.
    """
    return (
        answer.status == 400
        and "x-request-id" not in answer.headers
        and (not answer.body or answer.error["message"] == "Malformed HTTP request.")
    )
