"""One conversation, sent to the scripted server or elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import ProviderError
from kcode.messages import SystemMessage, UserMessage
from kcode.providers.openai_chat import OpenAIChat, open_provider
from kcode.settings import load_settings

if TYPE_CHECKING:
    from kcode.messages import Message
    from tests.model_server import ModelServer

ROOT = Path(__file__).parent.parent.parent
KEY = "sk-canary-0123456789"
SYSTEM, USER = SystemMessage("You are Kimi."), UserMessage("Hello")
CONVERSATION: list[Message] = [SYSTEM, USER]


def provider_of(server: ModelServer, model: str = "kimi-k2-thinking", **flags: object) -> OpenAIChat:
    # Where not even root can keep what was learned of a port: another server may have it next.
    environment = {"KCODE_API_KEY": KEY, "HOME": "/nonexistent", "XDG_STATE_HOME": "/dev/null"}
    return open_provider(load_settings({"base_url": server.url, "model": model} | flags, environment), environment)


async def collected(provider: OpenAIChat, messages: list[Message] | None = None) -> list[Any]:
    return [delta async for delta in provider.stream(messages or CONVERSATION, [])]


def run(provider: OpenAIChat, *conversations: list[Message]) -> list[list[Any]]:
    async def go() -> list[list[Any]]:
        try:
            return [await collected(provider, messages) for messages in conversations or (CONVERSATION,)]
        finally:
            await provider.aclose()

    return asyncio.run(go())


def failure_of(provider: OpenAIChat) -> Any:
    with pytest.raises(ProviderError) as caught:
        run(provider)
    assert KEY not in str(caught.value)
    return caught.value.failure
