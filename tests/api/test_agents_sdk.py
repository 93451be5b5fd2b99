"""`openai-agents` with its `OpenAIConversationsSession` on this service, as people use it.

The model is scripted; what it is asked shows what the session gave back of the conversation.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import openai
import pytest
from agents import Agent, OpenAIConversationsSession, RunConfig, Runner, function_tool
from agents.testing import ScriptedModel, assistant_message, function_call
from openai.types.responses import ResponseReasoningItem

from tests.support.openai_clients import async_client_for
from tests.support.rest import Rest

QUIET = RunConfig(tracing_disabled=True)
REASONING = ResponseReasoningItem(
    id="rs_68af00", type="reasoning", summary=[], encrypted_content="gAAAAABo" * 100
)


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"4 degrees in {city}"


@asynccontextmanager
async def session_of(
    rest: Rest, conversation_id: str | None = None
) -> AsyncIterator[OpenAIConversationsSession]:
    async with async_client_for(rest.base_url, str(rest.isolation_key)) as client:
        yield OpenAIConversationsSession(conversation_id=conversation_id, openai_client=client)


def agent_of(*steps: Any) -> tuple[Agent[None], ScriptedModel]:
    model = ScriptedModel(steps)
    return Agent[None](name="Assistant", model=model, tools=[weather]), model


async def run(agent: Agent[None], text: str, session: OpenAIConversationsSession) -> str:
    result = await Runner.run(agent, text, session=session, run_config=QUIET)
    return cast("str", result.final_output)


def kinds(items: Any) -> list[str]:
    return [item.get("type") or "message" for item in items]


def texts(items: Any) -> list[str]:
    return [part["text"] for item in items if "content" in item for part in item["content"]]


def test_the_model_is_given_the_whole_conversation_again(rest: Rest) -> None:
    async def live() -> None:
        agent, model = agent_of(
            [REASONING, function_call("weather", {"city": "Oslo"}, call_id="call_1")],
            [assistant_message("It is cold.")],
            [assistant_message("Oslo.")],
        )
        async with session_of(rest) as session:
            assert await run(agent, "How is it in Oslo?", session) == "It is cold."
            conversation_id = session.session_id
        # As another process would: only the id is kept.
        async with session_of(rest, conversation_id) as session:
            assert await run(agent, "Which city was it?", session) == "Oslo."
        model.assert_complete()

        replayed = model.calls[-1].input
        assert kinds(replayed) == [
            "message",
            "reasoning",
            "function_call",
            "function_call_output",
            "message",
            "message",
        ]
        assert replayed[1]["id"] == "rs_68af00"
        assert replayed[1]["encrypted_content"] == REASONING.encrypted_content
        assert "status" not in replayed[1]
        call, output = replayed[2:4]
        assert (call["call_id"], call["name"]) == ("call_1", "weather")
        assert call["arguments"] == '{"city":"Oslo"}'
        assert (output["call_id"], output["output"]) == ("call_1", "4 degrees in Oslo")
        for item, prefix in zip(replayed[:5], ("msg", "rs", "fc", "fc", "msg"), strict=True):
            # The Responses API takes no id with another beginning.
            assert item.get("id", prefix).startswith(prefix)
        stored = rest.all_items(conversation_id)
        assert kinds(stored) == [*kinds(replayed), "message"]
        assert texts(stored) == ["How is it in Oslo?", "It is cold.", "Which city was it?", "Oslo."]

    asyncio.run(live())


def test_a_turn_of_more_items_than_a_page_is_kept_in_its_order(rest: Rest) -> None:
    async def live() -> None:
        calls = [function_call("weather", {"city": f"{n}"}, call_id=f"call_{n}") for n in range(26)]
        agent, model = agent_of(calls, [assistant_message("Cold.")], [assistant_message("Yes.")])
        async with session_of(rest) as session:
            await run(agent, "Everywhere?", session)
            items = await session.get_items()
            await run(agent, "Really?", session)
            latest = await session.get_items(limit=3)

        assert kinds(items) == [
            "message",
            *["function_call"] * 26,
            *["function_call_output"] * 26,
            "message",
        ]
        ids = [cast("Any", item).get("call_id") for item in items[1:-1]]
        assert ids == [f"call_{n}" for n in range(26)] * 2
        assert len(model.calls[-1].input) == len(items) + 1
        assert texts(latest) == ["Cold.", "Really?", "Yes."]

    asyncio.run(live())


def test_pop_takes_the_latest_and_clear_all(rest: Rest) -> None:
    async def live() -> None:
        async with session_of(rest) as session:
            added: Any = [{"role": "user", "content": f"{n}"} for n in range(3)]
            await session.add_items(added)
            first_id = session.session_id

            popped: Any = [await session.pop_item() for _ in range(2)]
            left = await session.get_items()
            await session.clear_session()
            cleared = await session.get_items()

            assert texts(popped) == ["2", "1"]
            assert texts(left) == ["0"]
            assert cleared == []
            assert await session.pop_item() is None
            assert rest.list_items(first_id).status == 404
            assert session.session_id != first_id

    asyncio.run(live())


def test_two_sessions_at_once_on_one_conversation_keep_each_others_items(rest: Rest) -> None:
    conversation_id = rest.create()["id"]

    async def live() -> None:
        async with (
            session_of(rest, conversation_id) as one,
            session_of(rest, conversation_id) as other,
        ):
            turns = [
                session.add_items(cast("Any", [{"role": "user", "content": f"{name}{n}"}] * 2))
                for name, session in (("a", one), ("b", other))
                for n in range(5)
            ]
            await asyncio.gather(*turns)
            seen = [texts(await session.get_items()) for session in (one, other)]

        assert seen[0] == seen[1] == texts(rest.all_items(conversation_id))
        for name in "ab":
            mine = [text for text in seen[0] if text.startswith(name)]
            assert mine == [f"{name}{n}" for n in range(5) for _ in range(2)]
        pairs = [seen[0][place : place + 2] for place in range(0, 20, 2)]
        assert all(first == second for first, second in pairs)

    asyncio.run(live())


def test_two_users_sessions_know_nothing_of_each_other(rest: Rest) -> None:
    async def live() -> None:
        async with (
            session_of(rest) as mine,
            session_of(rest.as_user(f"{rest.isolation_key}-other")) as theirs,
        ):
            await asyncio.gather(
                run(agent_of([assistant_message("Ada.")])[0], "I am Ada.", mine),
                run(agent_of([assistant_message("Bob.")])[0], "I am Bob.", theirs),
            )
            agent, model = agent_of([assistant_message("Ada.")])
            await run(agent, "Who am I?", mine)

            assert texts(model.calls[0].input[:2]) == ["I am Ada.", "Ada."]
            async with session_of(rest, theirs.session_id) as stolen:
                with pytest.raises(openai.NotFoundError):
                    await stolen.get_items()

    asyncio.run(live())


def test_a_streamed_run_is_remembered_too(rest: Rest) -> None:
    async def live() -> None:
        agent, _ = agent_of([assistant_message("Streamed.")])
        async with session_of(rest) as session:
            result = Runner.run_streamed(agent, "Hi", session=session, run_config=QUIET)
            async for _ in result.stream_events():
                pass

            assert texts(await session.get_items()) == ["Hi", "Streamed."]

    asyncio.run(live())
