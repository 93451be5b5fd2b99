"""The app with a short budget, on a database that the tests break."""

import secrets
from collections.abc import Iterator

import pytest

from tests.faults.kinds import Target
from tests.support.cosmos_wire import CosmosWire
from tests.support.failures import BUDGET
from tests.support.rest import Rest
from tests.support.servers import Server, serve_host


@pytest.fixture(scope="module")
def host(wire: CosmosWire) -> Iterator[Server]:
    """A host process with a short budget whose Cosmos DB is `wire`."""
    with serve_host(wire.url, COSMOS_TIMEOUT_SECONDS=str(BUDGET)) as server:
        yield server


@pytest.fixture(scope="module")
def wired_url(host: Server) -> str:
    """Where that host listens."""
    return host.url


@pytest.fixture
def target(wire: CosmosWire, wired: Rest) -> Target:
    """A user of the test's own who has one conversation with one item; nothing recorded yet."""
    made = Target.of(wired.as_user(f"user-{secrets.token_hex(8)}"))
    wire.reset()
    return made
