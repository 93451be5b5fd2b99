"""No write is lost, doubled or answered wrongly, whatever befalls its requests.

Each schedule is drawn: calls, what becomes of each of their requests, and what others do between
any two. `make interleave` runs as many as one likes.
"""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof.drawn import Draw
from tests.proof.schedules import two_hosts


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[Draw], None]]:
    with two_hosts() as running:
        yield running


# Twenty seconds on two idle cores; each takes ten times as long as an example of other tests.
@settings(max_examples=1_200)
@given(data=st.data())
def test_every_write_is_done_as_it_was_answered(
    run: Callable[[Draw], None], data: st.DataObject
) -> None:
    run(data.draw)
