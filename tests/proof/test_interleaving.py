"""No write is lost, doubled or answered wrongly, whatever befalls its requests.

Each schedule is drawn: calls, what becomes of each of their requests, and what others do between
any two. `make interleave` runs as many as one likes.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof.drawn import VARIANTS
from tests.proof.schedules import Hosts, two_hosts


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with two_hosts() as running:
        yield running


# Twenty seconds for all on two idle cores: each takes ten times as long as others' examples.
@settings(max_examples=1_000)
@given(data=st.data())
def test_every_write_is_done_as_it_was_answered(hosts: Hosts, data: st.DataObject) -> None:
    hosts.play(data.draw)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_official_client_that_tries_again_doubles_nothing(hosts: Hosts, variant: str) -> None:
    before = hosts.tried_again.copy()

    @settings(max_examples=40)
    @given(data=st.data())
    def schedules(data: st.DataObject) -> None:
        hosts.play(data.draw, by_client=variant)

    schedules()
    assert hosts.tried_again[variant] > before[variant]
