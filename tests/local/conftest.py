"""The stand-in, to speak to as the SDK does."""

from collections.abc import Iterator

import pytest

from tests.support.rest import Rest
from tests.support.servers import serve_cosmos


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """A stand-in of the module's own, in a process of its own."""
    with serve_cosmos(tmp_path_factory.mktemp("cosmos")) as server:
        yield Rest(server.url)
