"""Fixtures that several modules share: the running app, and a user of it."""

import os
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.cosmos_wire import CosmosWire, cosmos_wire
from tests.support.rest import Rest
from tests.support.servers import serve_both, serve_host

# The same examples in every run, so that a red run is the change's doing. To look for new ones:
# HYPOTHESIS_PROFILE=random, whose failures are kept in .hypothesis and tried first the next time.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=1_000,
    print_blob=True,
    # Over real HTTP an example takes as long as the machine lets it.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "random", settings.get_profile("repeatable"), derandomize=False, max_examples=20_000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app under test: the one at BASE_URL, or one that is started here."""
    given = os.environ.get("BASE_URL")
    if given:
        yield given.rstrip("/")
        return
    with serve_both(tmp_path_factory.mktemp("app")) as server:
        yield server.url


@pytest.fixture
def rest(base_url: str) -> Rest:
    """The app, for a user of the test's own."""
    return Rest(base_url, f"user-{secrets.token_hex(8)}")


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CosmosWire]:
    """A recording, breakable Cosmos DB."""
    with cosmos_wire(tmp_path_factory.mktemp("wire")) as running:
        yield running


@pytest.fixture
def wired(wire: CosmosWire, wired_url: str) -> Iterator[Rest]:
    """The app on `wire`, which is whole and has recorded nothing when the test starts."""
    wire.reset()
    yield Rest(wired_url, f"user-{secrets.token_hex(8)}")
    wire.reset()


@pytest.fixture(scope="module")
def wired_url(wire: CosmosWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A host process whose Cosmos DB is `wire`."""
    with serve_host(wire.url) as server:
        yield server.url
