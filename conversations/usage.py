"""What one request has cost the database so far, for its log line.

Lives in a context variable, so that the transport can add to it and the edge can log it without
every layer in between passing it on.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """Document requests sent, and what they were charged in request units (RU)."""

    attempts: int = 0
    request_charge: float = 0.0


current: ContextVar[Usage] = ContextVar("usage")
