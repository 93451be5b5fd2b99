"""A chat that remembers, also after a restart: its history is kept in your Conversations API."""

import asyncio
import os
import sys

import agents
from agents.testing import ModelCall, ModelStep, ScriptedModel, assistant_message
from openai import AsyncOpenAI

conversations = AsyncOpenAI(
    base_url=os.environ.get("CONVERSATIONS_URL", "http://127.0.0.1:7071/openai/v1"),
    api_key=os.environ.get("CONVERSATIONS_TOKEN", "not used locally"),
    default_headers={"x-ms-user-isolation-key": os.environ.get("CHAT_USER", "alice")},
)


def count(call: ModelCall) -> list[agents.items.TResponseOutputItem]:
    """Stand in for a model: say how much of the conversation came along."""
    said = [item for item in call.input if item.get("role") == "user"]
    return [assistant_message(f"Things that you have said: {len(said)}.")]


async def chat(conversation_id: str | None = None) -> None:
    """Answer each line of standard input; go on with a conversation where it was left."""
    session = agents.OpenAIConversationsSession(
        conversation_id=conversation_id, openai_client=conversations
    )
    print(f"Remembering {len(await session.get_items())} items of", session.session_id)
    model: agents.Model = ScriptedModel([ModelStep.respond(count)] * 99)
    if name := os.environ.get("MODEL"):  # served at OPENAI_BASE_URL, which takes OPENAI_API_KEY
        model = agents.OpenAIResponsesModel(name, AsyncOpenAI())
    agent = agents.Agent("Assistant", instructions="Answer briefly.", model=model)
    for line in sys.stdin:
        result = await agents.Runner.run(agent, line.strip(), session=session)
        print(result.final_output, flush=True)


agents.set_tracing_disabled(True)  # traces would go to OpenAI
asyncio.run(chat(*sys.argv[1:]))
