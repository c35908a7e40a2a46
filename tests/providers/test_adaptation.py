"""Requests that an endpoint refuses for their form are sent again in another."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from kcode.providers.adaptation import adapt, said_window
from kcode.providers.choice import profile_for
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.failures import classify
from kcode.providers.openai_chat import open_provider
from kcode.providers.requests import RequestWriter
from kcode.results import Failure
from kcode.settings import load_settings
from tests.model_server import fault, raw, reply
from tests.providers.conversations import CONVERSATION, KEY, collected, failure_of, provider_of, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

CALL = AssistantMessage("", None, (ToolCall("c1", "read_file", "{}"),))
AFTER_A_CALL: list[Message] = [*CONVERSATION, CALL, ToolMessage("c1", "read_file", "text")]


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


# What an endpoint says, and what of the next request is different: (path into the body, before, after).
REFUSALS: list[tuple[str, int, Any, str, Any, Any]] = [
    ("newer Kimi", 400, error("invalid temperature: only 1 is allowed for this model"), "temperature", 1.0, None),
    ("OpenAI's o-series", 400, error("Unsupported value: 'temperature' does not support 1.0 with this model."), "temperature", 1.0, None),
    ("an older server", 400, error("Unrecognized request argument supplied: max_completion_tokens"), "max_completion_tokens", 32_768, None),
    ("pydantic", 422, {"detail": [{"loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]}, "max_tokens", None, 32_768),
    ("a small output", 400, error("max_completion_tokens is too large: 32768. This model supports at most 16384 completion tokens"), "max_completion_tokens", 32_768, 16_384),
    ("a range", 400, error("Range of max_completion_tokens should be [1, 8192]"), "max_completion_tokens", 32_768, 8192),
    ("no usage", 400, error("stream_options is not supported"), "stream_options", {"include_usage": True}, None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "field", "before", "after"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS])  # fmt: skip
def test_a_refused_parameter_is_left_out_or_spelt_otherwise(
    model_server: ModelServerFactory, status: int, body: Any, field: str, before: Any, after: Any
) -> None:
    server = model_server([fault(status, body), reply("Hi"), reply("Again")])
    first, second = run(provider_of(server), CONVERSATION, [*CONVERSATION, AssistantMessage("Hi"), UserMessage("More")])
    assert first[-1].message.text == "Hi"
    assert second[-1].message.text == "Again"
    sent = [request.json.get(field) for request in server.requests]
    assert sent == [before, after, after]


def test_reasoning_that_is_insisted_on_is_filled_in_first_empty_then_blank(model_server: ModelServerFactory) -> None:
    missing = error("thinking is enabled but reasoning_content is missing in assistant tool call message at index 2")
    wrapped = {
        "error": {
            "message": "Provider returned error",
            "code": 400,
            "metadata": {"raw": json.dumps(missing), "provider_name": "Moonshot AI"},
        }
    }
    server = model_server([fault(400, missing), fault(400, wrapped), reply("Hi")])
    run(provider_of(server), AFTER_A_CALL)
    sent = [request.json["messages"][2].get("reasoning_content") for request in server.requests]
    assert sent == [None, "", " "]


def test_content_is_omitted_then_null_then_blank(model_server: ModelServerFactory) -> None:
    refusal = {"detail": [{"type": "missing", "loc": ["body", "messages", 2, "content"], "msg": "Field required"}]}
    server = model_server([fault(422, refusal), fault(422, refusal), reply("Hi")])
    run(provider_of(server), AFTER_A_CALL)
    sent = [request.json["messages"][2].get("content", "left out") for request in server.requests]
    assert sent == ["left out", None, " "]


def test_ids_that_are_not_taken_are_spelt_plainly_on_both_sides(model_server: ModelServerFactory) -> None:
    server = model_server([fault(400, error("tool_call_id  is not found")), reply("Hi")])
    run(provider_of(server), AFTER_A_CALL)
    ids = [(r.json["messages"][2]["tool_calls"][0]["id"], r.json["messages"][3]["tool_call_id"]) for r in server.requests]  # fmt: skip
    assert ids == [("functions.read_file:0",) * 2, ("call_0",) * 2]


def test_a_reasoning_field_that_is_not_taken_is_left_out(model_server: ModelServerFactory) -> None:
    refusal = fault(400, error("property 'reasoning_content' is unsupported"))
    other = fault(400, error("property 'reasoning' is unsupported"))
    server = model_server([refusal, other, reply("Hi")])
    run(provider_of(server), [*CONVERSATION, replace(CALL, reasoning="why"), ToolMessage("c1", "read_file", "x")])
    sent = [{k for k in request.json["messages"][2] if k.startswith("reasoning")} for request in server.requests]
    assert sent == [{"reasoning_content"}, {"reasoning"}, set()]


def test_an_error_inside_a_stream_that_has_not_begun_counts_too(model_server: ModelServerFactory) -> None:
    chunk = {"error": {"code": 400, "message": "invalid temperature: only 1 is allowed for this model"}}
    server = model_server([raw(b"data: " + json.dumps(chunk).encode() + b"\n\n"), reply("Hi")])
    run(provider_of(server))
    assert "temperature" not in server.requests[1].json


def test_a_refusal_that_does_not_end_is_told_after_each_form_was_tried_once(model_server: ModelServerFactory) -> None:
    refusal = fault(400, error("max_tokens and max_completion_tokens are not supported"))
    server = model_server([refusal] * 10)
    failure = failure_of(provider_of(server))
    assert failure.kind == "broken"
    assert 2 <= len(server.requests) <= 4


def test_other_refusals_are_not_repeated(model_server: ModelServerFactory) -> None:
    for answer in (
        fault(400, error("bad")),
        fault(401, error("invalid temperature")),
        fault(402, error("temperature")),
    ):
        server = model_server([answer, reply("Hi")])
        failure_of(provider_of(server))
        assert len(server.requests) == 1


OVERFLOW = error("This model's maximum context length is 32768 tokens. However, you requested 32790 tokens (22 in the messages, 32768 in the completion). Please reduce the length.")  # fmt: skip


def test_a_smaller_window_than_thought_is_learned_and_the_reply_made_to_fit(model_server: ModelServerFactory) -> None:
    server = model_server([fault(400, OVERFLOW), reply("Hi")])
    provider = provider_of(server)
    (deltas,) = run(provider)
    assert deltas[-1].message.text == "Hi"
    assert provider.window == 32_768
    first, second = (request.json["max_completion_tokens"] for request in server.requests)
    assert first == 32_768
    assert second < 32_768


def test_a_request_that_is_itself_too_long_is_told_at_once(model_server: ModelServerFactory) -> None:
    server = model_server([fault(400, OVERFLOW), reply("Hi")])
    provider = provider_of(server)

    async def go() -> None:
        with pytest.raises(Exception, match="longer than the model takes"):
            await collected(provider, [*CONVERSATION, UserMessage("word " * 40_000)])
        await provider.aclose()

    asyncio.run(go())
    assert len(server.requests) == 1
    assert provider.window == 32_768


def test_what_is_only_inferred_of_the_window_is_not_kept_and_what_is_told_is() -> None:
    writer = RequestWriter(ENDPOINTS["moonshot"], "kimi-k2-thinking")
    writer.encode([UserMessage("Hello")], [])
    writer.shrink_window()
    assert writer.profile.window == 8192  # a short request was hardly refused for its length
    writer = RequestWriter(ENDPOINTS["moonshot"], "kimi-k2-thinking")
    writer.encode([UserMessage("word " * 60_000)], [])
    writer.shrink_window()
    assert writer.profile.window == pytest.approx(100_000, rel=0.01)
    assert writer.learned().window is None
    said = "this model's maximum context length is 65536 tokens"
    writer.adapt(Failure("overflow", "too long", status=400, said=said))
    assert writer.profile.window == writer.learned().window == 65_536


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("Invalid request: Your request exceeded model token limit: 262144 (requested: 274613)", 262_144),
        ("This model's maximum context length is 131,072 tokens.", 131_072),
        ("the request exceeds the available context size (8192 tokens), try increasing it", 8192),
        ('{"n_prompt_tokens":9001,"n_ctx":4096,"type":"exceed_context_size_error"}', 4096),
        ("The input (200000 tokens) is longer than the model's context length (163840 tokens).", 163_840),
        ("input token length too long", None),
    ],
)
def test_the_window_is_read_from_the_error(said: str, window: int | None) -> None:
    assert said_window(said.lower()) == window


def test_the_next_run_knows_what_this_one_learned(model_server: ModelServerFactory, tmp_path: Path) -> None:
    refusal = fault(400, error("invalid temperature: only 1 is allowed for this model"))
    server = model_server([refusal, reply("Hi", reasoning="r"), reply("Hi"), reply("Hi")])
    environment = {"KCODE_API_KEY": KEY, "HOME": str(tmp_path)}
    flags = {"base_url": server.url, "model": "kimi-k2-thinking"}
    for _ in range(2):
        run(open_provider(load_settings(flags, environment), environment))
    assert ["temperature" in request.json for request in server.requests] == [True, False, False]
    memory = tmp_path / ".local/state/kcode/endpoints.json"
    assert KEY not in memory.read_text()
    run(open_provider(load_settings(flags | {"model": "another"}, environment), environment))
    assert len(server.requests) == 4


def test_what_the_user_set_is_not_overruled_by_what_was_learned(
    model_server: ModelServerFactory, tmp_path: Path
) -> None:
    refusal = fault(400, error("invalid temperature: only 1 is allowed for this model"))
    server = model_server([refusal, reply("Hi"), reply("Hi")])
    environment = {"KCODE_API_KEY": KEY, "HOME": str(tmp_path)}
    config = tmp_path / "config.toml"
    config.write_text("")
    flags = {"base_url": server.url, "model": "kimi-k2-thinking"}
    run(open_provider(load_settings(flags, environment, config=config), environment))
    config.write_text("[endpoints.custom.dialect]\ntemperature = 0.6")
    run(open_provider(load_settings(flags, environment, config=config), environment))
    assert [request.json.get("temperature") for request in server.requests] == [1.0, None, 0.6]


@given(st.text(max_size=300), st.sampled_from([400, 422, 500]))
def test_adaptation_ends_whatever_the_endpoint_says(text: str, status: int) -> None:
    profile = profile_for(ENDPOINTS["openrouter"], "kimi-k2-thinking")
    seen = [profile]
    for _ in range(20):
        failure = classify(status, {}, text.encode("utf-8", "replace"), ENDPOINTS["openrouter"], "m")
        changed = adapt(seen[-1], failure)
        if changed is None or changed in seen:
            return
        seen.append(changed)
    raise AssertionError(f"{text!r} went on for ever")
