"""Clients of the official `openai` package for one user of the app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai

HEADER = "x-ms-user-isolation-key"


def client_for(base_url: str, isolation_key: str | None = None, **options: Any) -> openai.OpenAI:
    """A client that never retries and takes no answer that its models do not."""
    return openai.OpenAI(**_arguments(base_url, isolation_key, options))


@asynccontextmanager
async def async_client_for(
    base_url: str, isolation_key: str, **options: Any
) -> AsyncIterator[openai.AsyncOpenAI]:
    """The same, asynchronous."""
    async with openai.AsyncOpenAI(**_arguments(base_url, isolation_key, options)) as client:
        yield client


def _arguments(base_url: str, isolation_key: str | None, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "base_url": f"{base_url}/openai/v1",
        "api_key": "not used",
        "default_headers": {} if isolation_key is None else {HEADER: isolation_key},
        "max_retries": 0,
        "_strict_response_validation": True,
        **options,
    }
