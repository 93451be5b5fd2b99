"""An event loop in which waiting takes no time: its clock jumps to whatever comes next."""

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop whose `time` stands still while code runs, and skips every wait.

    For code that talks to nobody outside of the loop: a thread or a socket would find that its
    time is up. `in_real_time` is for those.
    """

    def __init__(self) -> None:
        self._selector_of_time = _Skipping()
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._selector_of_time.now

    @contextmanager
    def in_real_time(self) -> Iterator[None]:
        """Wait for threads, as any loop does, until the block ends."""
        self._selector_of_time.skips = False
        try:
            yield
        finally:
            self._selector_of_time.skips = True


class _Skipping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.skips = True

    def select(self, timeout: float | None = None) -> Any:
        """What is ready; with nothing ready and something to wait for, later."""
        if not self.skips:
            return super().select(timeout)
        if timeout is None:
            raise RuntimeError("nothing will ever happen in this loop")
        ready = super().select(0)
        if not ready and timeout > 0:
            self.now += timeout
        return ready
