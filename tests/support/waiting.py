"""Waits for what another thread or process does."""

import time
from collections.abc import Callable

SECONDS = 30


def wait_until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Return as soon as `condition` holds. Fails the test if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.01)
