"""The app's hosts and the stand-in, in this process and in virtual time."""

from collections.abc import Iterator

import pytest

from tests.proof.bench import Bench, bench


@pytest.fixture(scope="module")
def two_hosts() -> Iterator[Bench]:
    with bench() as made:
        yield made


@pytest.fixture
def world(two_hosts: Bench) -> Bench:
    two_hosts.use()
    return two_hosts
