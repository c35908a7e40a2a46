from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kcode.messages import SystemMessage, UserMessage
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta
from kcode.providers.openai_chat import OpenAIChat, open_provider
from kcode.settings import load_settings
from tests.model_server import ModelServer, reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

SYSTEM, USER = SystemMessage("You are Kimi."), UserMessage("Hello")


@pytest.fixture
def provider_for(tmp_path: Path) -> Any:
    def make(server: ModelServer, **flags: object) -> OpenAIChat:
        environment = {"KCODE_API_KEY": "sk-canary-0123456789", "HOME": str(tmp_path)}
        given = {"base_url": server.url, "model": "kimi-k2-thinking"} | flags
        return open_provider(load_settings(given, environment), environment)

    return make


def run(provider: OpenAIChat, messages: list[Any], *, tools: tuple[Any, ...] = ()) -> list[Any]:
    async def collect() -> list[Any]:
        try:
            return [delta async for delta in provider.stream(messages, tools)]
        finally:
            await provider.aclose()

    return asyncio.run(collect())


def test_a_reply_streams_and_ends_with_the_whole_message(model_server: ModelServerFactory, provider_for: Any) -> None:
    server = model_server([reply("Hello there.", reasoning="I should greet.", calls=[("read_file", {"path": "a"})])])
    deltas = run(provider_for(server), [SYSTEM, USER])
    assert "".join(d.text for d in deltas if isinstance(d, ReasoningDelta)) == "I should greet."
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == "Hello there."
    last = deltas[-1]
    assert isinstance(last, ReplyDelta)
    assert (last.finish, last.message.reasoning) == ("tool_calls", "I should greet.")
    assert last.message.tool_calls[0].arguments == '{"path": "a"}'
