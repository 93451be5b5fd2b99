"""Requests that race each other, from threads of the test's own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

_T = TypeVar("_T")


def at_once(calls: Sequence[Callable[[], _T]]) -> list[_T]:
    """Start all `calls` at the same time, each in a thread. Returns their results, in order."""
    barrier = Barrier(len(calls))

    def start(call: Callable[[], _T]) -> _T:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(start, calls))
