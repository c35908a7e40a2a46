"""The endpoint's own web search: told to it, answered with what it sent, and paid for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kcode.agent.calls import run_tool_call
from kcode.agent.websearch import describe_web_search, web_search_tool
from kcode.errors import UsageError
from kcode.messages import ToolCall, ToolMessage
from kcode.pricing import Price
from kcode.providers import UsageDelta
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect
from tests.model_server import reply
from tests.program import make_program
from tests.providers.conversations import CONVERSATION, KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

ARGUMENTS = '{"search_result": {"search_id": "x"},  "usage": {"total_tokens": 9}}'
DECLARATION = {"type": "builtin_function", "function": {"name": "$web_search"}}


def test_it_is_offered_where_the_table_says_so_and_its_price_is_told() -> None:
    assert web_search_tool(ENDPOINTS["moonshot"]).declaration == DECLARATION
    assert "$0.005 a search" in describe_web_search(ENDPOINTS["moonshot"])
    assert "a price that kcode does not know" in describe_web_search(ENDPOINTS["evolink"])
    with pytest.raises(UsageError, match="vLLM offers no web search"):
        web_search_tool(ENDPOINTS["vllm"])


def test_a_call_is_answered_with_its_own_arguments_to_the_byte() -> None:
    tool = web_search_tool(ENDPOINTS["moonshot"])
    call = ToolCall("$web_search:0", "$web_search", ARGUMENTS)
    view: Any = object()  # nothing of the draft is looked at
    assert asyncio.run(run_tool_call(call, {tool.name: tool}, view)).text == ARGUMENTS


def test_each_search_is_paid_for(model_server: ModelServerFactory) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    calls = [("$web_search", ARGUMENTS), ("$web_search", "{}")]
    server = model_server(
        [reply(calls=calls, usage=usage), reply("Found.", usage=usage), reply(calls=calls, usage=usage)]
    )
    row = replace(ENDPOINTS["moonshot"], base_url=server.url)
    tool = web_search_tool(row)

    async def costs(provider: Any, messages: list[Any]) -> tuple[Any, list[float | None]]:
        deltas = [delta async for delta in provider.stream(messages, [tool])]
        return deltas[-1].message, [d.usage.cost for d in deltas if isinstance(d, UsageDelta)][-1:]

    async def go() -> None:
        provider = connect(row, "kimi-k2-thinking", KEY)
        message, cost = await costs(provider, list(CONVERSATION))
        assert cost == pytest.approx([0.00085 + 2 * 0.005])
        answers = [ToolMessage(call.id, call.name, call.arguments) for call in message.tool_calls]
        _, cost = await costs(provider, [*CONVERSATION, message, *answers])
        assert cost == pytest.approx([0.00085])
        await provider.aclose()
        unknown = replace(ENDPOINTS["evolink"], base_url=server.url, prices={"kimi-k2-thinking": Price(0.6, 2.5)})
        provider = connect(unknown, "kimi-k2-thinking", KEY)
        _, cost = await costs(provider, list(CONVERSATION))
        assert cost == [None]
        await provider.aclose()

    asyncio.run(go())
    first, second = server.requests[0].json, server.requests[1].json
    assert first["tools"] == [DECLARATION]
    assert second["messages"][2]["tool_calls"][0]["function"] == {"name": "$web_search", "arguments": ARGUMENTS}
    assert second["messages"][3]["content"] == ARGUMENTS
    assert second["messages"][3]["name"] == "$web_search"


def test_it_is_off_unless_turned_on(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([reply(calls=[("$web_search", ARGUMENTS)]), reply("Nothing new."), reply("Nothing.")])
    program = make_program(tmp_path)
    config = program.home / ".config" / "kcode" / "config.toml"
    config.parent.mkdir(parents=True)
    row = f'[endpoints.here]\nbase_url = "{server.url}"\nmodels = ["kimi-k2-thinking"]\n'
    config.write_text(row)
    done = program.run("ask", "what is new?", "--endpoint", "here", "--web-search")
    assert done.returncode == 2
    assert b"offers no web search" in done.stderr
    assert server.requests == []
    config.write_text(row + "web_search = { price = 0.01 }")
    done = program.run("ask", "what is new?", "--endpoint", "here", "--web-search")
    assert (done.returncode, done.stdout) == (0, b"Nothing new.\n"), done.stderr
    assert b"$0.01 a search" in done.stderr
    assert server.requests[1].json["messages"][-1]["content"] == ARGUMENTS
    done = program.run("ask", "what is new?", "--endpoint", "here")
    assert done.returncode == 0, done.stderr
    declared = [[tool["function"]["name"] for tool in request.json["tools"]] for request in server.requests]
    assert ["$web_search" in names for names in declared] == [True, True, False]
