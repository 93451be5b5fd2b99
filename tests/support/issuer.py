"""An issuer of tokens on loopback: publishes its keys as Microsoft Entra ID does, and signs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "4f5b8e0e-application"
PRINCIPAL = "0b6f1a52-gateway"


class Issuer:
    """Its URL, its keys, and how often they were asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.up = True
        self.asked = 0
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate("first")

    def rotate(self, key_id: str) -> None:
        """Publish another key, instead of those before."""
        self._keys = {key_id: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def token(self, key_id: str | None = None, **claims: Any) -> str:
        """A token as the gateway gets it, but for `claims`; None leaves a claim out."""
        published, key = next(iter(self._keys.items()))
        now = int(time.time())
        whole = {
            "iss": self.url,
            "aud": AUDIENCE,
            "oid": PRINCIPAL,
            "nbf": now - 5,
            "exp": now + 3600,
            **claims,
        }
        given = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(given, key, "RS256", headers={"kid": key_id or published})

    def document(self, path: str) -> dict[str, Any] | None:
        """What is published at a path."""
        if path.endswith("/.well-known/openid-configuration"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        if path.endswith("/keys"):
            self.asked += 1
            algorithm = jwt.algorithms.RSAAlgorithm
            keys = [
                {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": id_, "use": "sig"}
                for id_, key in self._keys.items()
            ]
            return {"keys": keys}
        return None


@contextmanager
def issuer() -> Iterator[Issuer]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = running.document(self.path) if running.up else None
            content = json.dumps(found).encode()
            self.send_response(200 if found else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Issuer(f"http://127.0.0.1:{server.server_port}/tenant/v2.0")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
