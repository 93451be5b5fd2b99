"""Without a key: tokens of the managed identity, as in Azure, over TLS.

`azure-identity` asks the endpoint that App Service gives every app (IDENTITY_ENDPOINT), played by a
server here. Cosmos DB is the stand-in behind TLS, which takes that token in place of a signature.
"""

import asyncio
import datetime
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.cosmos.server import CosmosEmulator
from local.cosmos.storage import Storage
from tests.support.rest import Rest
from tests.support.servers import emulator_key, serve

TOKEN = "token-of-the-identity"
CLIENT_ID = "00000000-0000-0000-0000-00000000c11e"


class TokenEmulator(CosmosEmulator):
    """The stand-in, but for who may come in and the URL that it names as its own."""

    def _check_signature(self, request: web.BaseRequest, parts: list[str]) -> None:
        assert request.headers["Authorization"] == f"type=aad&ver=1.0&sig={TOKEN}"

    def _account(self, url: str) -> dict[str, Any]:
        return super()._account(url.replace("http://", "https://"))


@dataclass
class Azure:
    """The two servers, and what the identity endpoint was asked."""

    cosmos_url: str = ""
    identity_url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    grants: bool = True
    is_down: bool = False

    async def identity(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer as App Service does."""
        assert request.headers["X-IDENTITY-HEADER"] == "secret"
        self.asked.append(dict(request.query))
        if not self.grants:
            return web.json_response({"statusCode": 400, "message": "no identity"}, status=400)
        return web.json_response(
            {
                "access_token": TOKEN,
                "expires_on": str(int(time.time()) + 86_400),
                "resource": request.query["resource"],
                "token_type": "Bearer",
            }
        )


def tls(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that nobody signed; the SDK does not check it there."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    running = Azure()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    async def serve_both() -> None:
        storage = Storage(tmp_path / "data.sqlite3")
        emulator = TokenEmulator(
            storage, key=emulator_key(), database="conversations", container="conversations"
        )

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=503) if running.is_down else await emulator.handle(request)

        cosmos = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0)
        identity = web.ServerRunner(web.Server(running.identity, access_log=None))
        for runner, context in ((cosmos, tls(tmp_path)), (identity, None)):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        running.cosmos_url = f"https://127.0.0.1:{cosmos.addresses[0][1]}"
        running.identity_url = f"http://127.0.0.1:{identity.addresses[0][1]}/token"
        ready.set()
        await stop.wait()
        await cosmos.cleanup()
        await identity.cleanup()
        storage.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve_both(),))
    thread.start()
    assert ready.wait(30)
    yield running
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def settings(azure: Azure) -> dict[str, str]:
    return {
        "COSMOS_ENDPOINT": azure.cosmos_url,
        "AZURE_CLIENT_ID": CLIENT_ID,
        "IDENTITY_ENDPOINT": azure.identity_url,
        "IDENTITY_HEADER": "secret",
    }


def test_every_operation_carries_the_identitys_token(azure: Azure) -> None:
    with serve("host", "--port=0", settings=settings(azure)) as host:
        alice = Rest(host.url, "alice")
        conversation = alice.create({"a": "1"})
        updated = alice.update(conversation["id"], {"metadata": {"b": "2"}})
        retrieved = alice.retrieve(conversation["id"])
        deleted = alice.delete(conversation["id"])

        assert updated.status == 200
        assert updated.json()["metadata"] == {"b": "2"}
        assert retrieved.json() == updated.json()
        assert deleted.status == 200
        assert TOKEN not in host.log()
    # Asked once, for the account's own scope, and kept.
    assert azure.asked == [
        {
            "api-version": azure.asked[0]["api-version"],
            "resource": "https://127.0.0.1",
            "client_id": CLIENT_ID,
        }
    ]


def test_an_identity_that_gets_no_token_is_the_operators_to_mend(azure: Azure) -> None:
    azure.grants = False
    with serve("host", "--port=0", settings=settings(azure)) as host:
        answer = Rest(host.url).update("conv_1", {"metadata": {}})

        assert answer.status == 500
        assert answer.error["code"] == "internal_error"
        assert "no token for the managed identity" in host.log()

        azure.grants = True
        assert Rest(host.url).update("conv_1", {"metadata": {}}).status == 404


def test_an_account_that_is_down_costs_no_token_for_every_attempt(azure: Azure) -> None:
    azure.is_down = True
    with serve("host", "--port=0", settings=settings(azure)) as host:
        rest = Rest(host.url)
        assert [rest.retrieve("conv_1").status for _ in range(5)] == [503] * 5

        azure.is_down = False
        assert rest.retrieve("conv_1").status == 404
        assert "Unclosed" not in host.log()
    assert len(azure.asked) == 1
