from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kcode.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from kcode.pricing import Price
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, UsageDelta
from kcode.providers.cassette import Answer
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect
from kcode.tooling import Access, ToolResult, View, tool
from tests.model_server import raw, reply

if TYPE_CHECKING:
    from tests.model_server import ModelServer, ModelServerFactory

from tests.providers.conversations import CONVERSATION, KEY, collected, provider_of, run


@tool(Access.READ)
async def read_file(_view: View) -> ToolResult:
    """Read."""
    return ToolResult("")


def test_a_reply_streams_and_ends_with_the_whole_message(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hello there.", reasoning="I should greet.", calls=[("read_file", {"path": "a"})])])
    (deltas,) = run(provider_of(server))
    assert "".join(d.text for d in deltas if isinstance(d, ReasoningDelta)) == "I should greet."
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == "Hello there."
    last = deltas[-1]
    assert isinstance(last, ReplyDelta)
    assert (last.finish, last.message.reasoning) == ("tool_calls", "I should greet.")
    assert last.message.tool_calls[0].arguments == '{"path": "a"}'


def test_the_request_holds_what_the_protocol_wants_and_nothing_of_the_environment(
    model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "OPENAI_API_KEY": "sk-other",
        "OPENAI_ADMIN_KEY": "sk-admin",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_ORG_ID": "org",
        "OPENAI_PROJECT_ID": "project",
        "OPENAI_CUSTOM_HEADERS": "X-Evil: 1\nAuthorization: Bearer sk-evil\nHost: evil",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    server = model_server([reply("Hi")])
    run(provider_of(server))
    (request,) = server.requests
    assert request.json == {
        "model": "kimi-k2-thinking",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1.0,
        "messages": [{"role": "system", "content": "You are Kimi."}, {"role": "user", "content": "Hello"}],
        "max_completion_tokens": 32_768,
    }
    assert request.path == "/v1/chat/completions"
    assert request.headers == {
        "host": server.url.removeprefix("http://").removesuffix("/v1"),
        "content-length": str(len(request.body)),
        "content-type": "application/json",
        "accept": "text/event-stream, application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": request.headers["user-agent"],
        "authorization": f"Bearer {KEY}",
    }
    assert request.headers["user-agent"].startswith("kcode/")


def test_without_a_key_no_authorization_is_sent(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi")])
    endpoint = replace(ENDPOINTS["custom"], base_url=server.url)
    run(connect(endpoint, "m", None))
    assert "authorization" not in server.requests[0].headers


def test_the_rows_of_the_table_shape_the_request(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi"), reply("Hi")])
    run(connect(replace(ENDPOINTS["moonshot"], base_url=server.url), "kimi-k2-thinking", KEY, session="s1"))
    body = server.requests[0].json
    assert (body["max_completion_tokens"], body["prompt_cache_key"], body["temperature"]) == (65536, "s1", 1.0)
    run(
        connect(replace(ENDPOINTS["openrouter"], base_url=server.url), "moonshotai/kimi-k2-thinking", KEY, session="s1")
    )
    body = server.requests[1].json
    assert body["usage"] == {"include": True}
    assert "prompt_cache_key" not in body
    assert server.requests[1].headers["x-openrouter-title"] == "kcode"


def test_each_request_begins_with_the_one_before_and_uses_the_same_connection(model_server: ModelServerFactory) -> None:
    server = model_server([reply(reasoning="why", calls=[("read_file", "{}")]) for _ in range(5)])
    provider = provider_of(server)

    async def go() -> None:
        messages = list(CONVERSATION)
        for _ in range(5):
            deltas = [delta async for delta in provider.stream(messages, [read_file])]
            assert isinstance(deltas[-1], ReplyDelta)
            message = deltas[-1].message
            messages += [message, ToolMessage(message.tool_calls[0].id, "read_file", "result")]
        await provider.aclose()

    asyncio.run(go())
    bodies = [request.body for request in server.requests]
    for before, now in itertools.pairwise(bodies):
        assert now.startswith(before.rpartition(b"]")[0])
    assert len({request.connection for request in server.requests}) == 1
    last = server.requests[-1].json
    assert [m["tool_calls"][0]["id"] for m in last["messages"] if m["role"] == "assistant"] == [
        f"functions.read_file:{n}" for n in range(4)
    ]
    assert all(m["reasoning_content"] == "why" for m in last["messages"] if m["role"] == "assistant")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "reasoning_details"])
def test_reasoning_goes_back_under_the_key_under_which_it_came(model_server: ModelServerFactory, key: str) -> None:
    value: Any = [{"type": "reasoning.text", "text": "why", "index": 0}] if key == "reasoning_details" else "why"
    delta = {key: value, "tool_calls": [{"index": 0, "id": "x", "function": {"name": "read_file", "arguments": "{}"}}]}
    chunk = b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": "tool_calls"}]}).encode() + b"\n\n"
    server = model_server([raw(chunk, b"data: [DONE]\n\n"), reply("Done")])
    provider = provider_of(server)

    async def go() -> None:
        first = (await collected(provider))[-1].message
        await collected(provider, [*CONVERSATION, first, ToolMessage(first.tool_calls[0].id, "read_file", "")])
        await provider.aclose()

    asyncio.run(go())
    assert server.requests[1].json["messages"][2][key] == value


def test_output_is_limited_to_what_is_left_of_the_window(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi", usage={"prompt_tokens": 99_000}), reply("Hi"), reply("Hi")])
    endpoint = replace(ENDPOINTS["moonshot"], base_url=server.url)
    long = UserMessage("x" * 3000)
    run(
        connect(endpoint, "kimi-k2-thinking", KEY, window=100_000),
        CONVERSATION,
        [*CONVERSATION, AssistantMessage("Hi"), long],
    )
    first, second = (request.json["max_completion_tokens"] for request in server.requests)
    assert first == 65_536
    assert second == 1024
    tiny = connect(endpoint, "kimi-k2-thinking", KEY, window=20_000)
    run(tiny)
    assert 19_000 < server.requests[2].json["max_completion_tokens"] < 20_000


def test_usage_is_priced(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi", usage={"prompt_tokens": 1000, "completion_tokens": 100})])
    endpoint = replace(ENDPOINTS["custom"], base_url=server.url, prices={"m": Price(1.0, 10.0)})
    (deltas,) = run(connect(endpoint, "m", None))
    (usage,) = [d.usage for d in deltas if isinstance(d, UsageDelta)]
    assert usage.cost == pytest.approx(0.002)
    server.add(reply("Hi", usage={"prompt_tokens": 1000}))
    (deltas,) = run(connect(endpoint, "another", None))
    assert [d.usage.cost for d in deltas if isinstance(d, UsageDelta)] == [None]


@pytest.mark.parametrize("seconds", [30.0])
def test_closing_the_stream_closes_the_connection(model_server: ModelServerFactory, seconds: float) -> None:
    server = model_server([reply("A long answer", stall=seconds)])
    provider = provider_of(server)

    async def go() -> None:
        async with aclosing(provider.stream(CONVERSATION, [])) as stream:
            async for delta in stream:
                if isinstance(delta, TextDelta):
                    break
        await asyncio.to_thread(server.wait_for_close)
        await provider.aclose()

    answer = server.answers[0]
    assert isinstance(answer, Answer)
    server.answers[0] = replace(answer, pieces=answer.pieces[:-2])
    asyncio.run(go())


def test_cancelling_the_task_closes_the_connection(model_server: ModelServerFactory) -> None:
    server = model_server([raw(b": waiting\n\n", stall=30.0)])
    provider = provider_of(server)

    async def go() -> None:
        task = asyncio.create_task(collected(provider))
        await asyncio.to_thread(server.wait_for_requests, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_for_close)
        await provider.aclose()

    asyncio.run(go())


def test_nothing_is_waited_for_after_done(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi", stall=30.0)])
    (deltas,) = run(provider_of(server))
    assert isinstance(deltas[-1], ReplyDelta)
    server.wait_for_close()


def test_the_models_are_listed(model_server: ModelServerFactory) -> None:
    async def listed(server: ModelServer) -> list[str]:
        provider = provider_of(server)
        try:
            return [model.id for model in await provider.list_models()]
        finally:
            await provider.aclose()

    assert asyncio.run(listed(model_server(models=["a", "b"]))) == ["a", "b"]
    many = [f"m{n}" for n in range(300)] + ["moonshotai/kimi-k2-thinking"]
    assert asyncio.run(listed(model_server(models=many))) == many


def test_calls_with_any_arguments_come_through_whole(model_server: ModelServerFactory) -> None:
    arguments = {"path": "ä/😀.py", "content": '\r\n\t"\\' * 20_000, "lines": list(range(50))}
    (deltas,) = run(provider_of(model_server([reply(calls=[("write_file", arguments)])])))
    (call,) = deltas[-1].message.tool_calls
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == arguments


def test_a_server_on_this_machine_is_asked_once_for_its_window(model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi"), reply("Hi")], models=[{"id": "alias", "max_model_len": 40_000}])
    provider = connect(replace(ENDPOINTS["vllm"], base_url=server.url), "moonshotai/Kimi-K2-Thinking", None)
    run(provider, CONVERSATION, CONVERSATION)
    assert provider.window == 40_000
    assert [request.path for request in server.other_requests] == ["/v1/models"]
    assert server.requests[0].json["max_completion_tokens"] < 40_000
    set_by_the_user = connect(replace(ENDPOINTS["vllm"], base_url=server.url), "m", None, window=20_000)
    server.add(reply("Hi"))
    run(set_by_the_user)
    assert set_by_the_user.window == 20_000
    assert len(server.other_requests) == 1
