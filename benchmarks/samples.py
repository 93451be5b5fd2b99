"""Figures by name, one per round, and what is said of them: median, spread, ratio."""

import statistics
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """The median of several measurements, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Figure":
        """The figure of one or more measurements."""
        return cls(statistics.median(values), min(values), max(values))


class Samples:
    """What was measured; several measurements under one name are in the order of their rounds."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        """Note a measurement."""
        self._values[name].append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def sums(self, *names: str) -> list[float]:
        """Round by round the sum of these measurements."""
        rounds = [self._values[name] for name in names]
        return [sum(values) for values in zip(*rounds, strict=True)]
