from __future__ import annotations

import email.utils
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.failures import classify, classify_stream_error, cut, incomplete, retry_delay, silent, unreachable
from kcode.results import Failure

MOONSHOT, OPENROUTER = ENDPOINTS["moonshot"], ENDPOINTS["openrouter"]


def classified(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Failure:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, headers or {}, data, MOONSHOT, "kimi-k2-thinking")


def error(message: str, kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, **more}}


# The texts are those of the endpoints, as the reference lists them.
CASES = [
    (400, error("The request was rejected because it was considered high risk", "content_filter"), "refused"),
    (400, error("Invalid request: Your request exceeded model token limit: 262144 (requested: 274613)"), "overflow"),
    (400, error("Input token length too long"), "overflow"),
    (400, error("This model's maximum context length is 131072 tokens. However, you requested 140000 tokens"), "overflow"),
    (400, {"object": "error", "message": "the request exceeds the available context size", "code": 400}, "overflow"),
    (413, error("Request exceeds the maximum size"), "overflow"),
    (413, b"<html><title>413 Request Entity Too Large</title></html>", "overflow"),
    (400, error("tool_call_id  is not found"), "history"),
    (400, error("function name is invalid, must start with a letter"), "history"),
    (400, error("thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"), "history"),
    (400, {"code": 20015, "message": "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2", "data": None}, "history"),
    (400, error("Provider returned error", code=400, metadata={"raw": json.dumps(error("thinking is enabled but reasoning_content is missing in assistant tool call message at index 2")), "provider_name": "Moonshot AI"}), "history"),
    (400, error("the message at position 105 with role 'assistant' must not be empty"), "history"),
    (401, error("Invalid Authentication", "invalid_authentication_error"), "key"),
    (401, b"", "key"),
    (403, error("Incorrect API key provided", "incorrect_api_key_error"), "key"),
    (403, error("Your account org-x <ak-x> is suspended due to insufficient balance, please recharge", "exceeded_current_quota_error"), "quota"),
    (429, error("You exceeded your current token quota: 0", "exceeded_current_quota_error"), "quota"),
    (402, error("This request requires more credits"), "quota"),
    (403, error("Input was flagged by moderation"), "refused"),
    (404, error("Not found the model kimi-k3 or Permission denied", "resource_not_found_error"), "model"),
    (404, error("The model `x` does not exist."), "model"),
    (400, error("x is not a valid model ID"), "model"),
    (404, b"404 page not found", "broken"),
    (404, error("No endpoints available matching your guardrail restrictions and data policy"), "broken"),
    (408, b"", "retry"),
    (429, error("The engine is currently overloaded, please try again later", "engine_overloaded_error"), "retry"),
    (429, error("request reached max organization concurrency: 1, please try again after 1 seconds", "rate_limit_reached_error"), "retry"),
    (500, error("Internal error"), "retry"),
    (502, b"<html><head><title>502 Bad Gateway</title></head></html>", "retry"),
    (503, b"", "retry"),
    (504, b"", "retry"),
    (529, b"overloaded", "retry"),
    (400, error("temperature must be at most 1"), "broken"),
    (422, {"detail": [{"msg": "field required"}]}, "broken"),
    (302, b"", "broken"),
    (501, b"", "broken"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind"), CASES)
def test_an_answer_is_sorted_by_what_can_be_done_about_it(status: int, body: Any, kind: str) -> None:
    failure = classified(status, body)
    assert (failure.kind, failure.status) == (kind, status)
    assert failure.message


def test_a_refused_key_says_which_and_where_to_get_another() -> None:
    message = classified(401, error("Invalid Authentication")).message
    assert "MOONSHOT_API_KEY" in message
    assert "platform.moonshot.ai" in message
    assert "not interchangeable" in message
    other = classify(401, {}, b"", OPENROUTER, "m").message
    assert "OPENROUTER_API_KEY" in other
    assert "interchangeable" not in other


def test_the_message_says_what_the_endpoint_said() -> None:
    assert "temperature must be at most 1" in classified(400, error("temperature must be at most 1")).message
    assert "“502 Bad Gateway”" in classified(502, CASES[29][1]).message
    assert "field required" in classified(422, CASES[34][1]).message
    assert "Does the base URL end in /v1?" in classified(404, b"404 page not found").message
    assert len(classified(500, b"x" * 100_000).message) < 600
    wrapped = classified(400, CASES[11][1]).message
    assert "Moonshot AI: thinking is enabled" in wrapped


def test_the_endpoints_number_of_the_request_is_told() -> None:
    assert "(request abc-1)" in classified(500, b"", {"x-trace-id": "abc-1"}).message


def test_a_redirect_says_where_to_and_why_it_is_not_followed() -> None:
    message = classified(307, b"", {"location": "https://elsewhere.example/v1"}).message
    assert "https://elsewhere.example/v1" in message
    assert "--base-url" in message


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"retry-after": "7"}, "", 7),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after-ms": "1500"}, "", 1.5),
        ({"retry-after": "-3"}, "", 0),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "99999"}, "", 99999),
        ({}, "please try again after 2 seconds", 2),
        ({}, "Please try again in 1.5s.", 1.5),
        ({}, "try again in 200ms", 0.2),
        ({}, "try again in 3 minutes", 180),
        ({}, "try again later", None),
    ],
)
def test_the_wait_is_read_from_header_or_text(headers: dict[str, str], said: str, seconds: float | None) -> None:
    assert classified(429, error(said), headers).retry_after == seconds


def test_the_wait_may_be_a_date() -> None:
    wait = classified(503, b"", {"retry-after": email.utils.formatdate(time.time() + 30, usegmt=True)}).retry_after
    assert wait is not None
    assert 25 < wait <= 30


def test_an_error_in_a_stream_counts_by_its_code_and_is_else_worth_a_retry() -> None:
    assert classify_stream_error({"code": 402, "message": "no"}).kind == "quota"
    assert classify_stream_error({"code": "429", "message": "try again after 3 seconds"}).retry_after == 3
    assert classify_stream_error({"code": "rate_limited", "message": "x"}).kind == "retry"
    assert classify_stream_error("boom").kind == "retry"
    assert "boom" in classify_stream_error("boom").message


def test_waits_double_up_to_half_a_minute_and_end() -> None:
    failure = Failure("retry", "")
    assert [retry_delay(n, failure) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 32, None]
    assert retry_delay(20, replace(failure, attempts=99)) == 32
    assert retry_delay(1, failure, jitter=1.0) == 0.625


def test_what_the_endpoint_asks_for_counts_up_to_a_minute() -> None:
    assert retry_delay(1, Failure("retry", "", retry_after=7)) == 7
    assert retry_delay(1, Failure("retry", "", retry_after=60)) == 60
    assert retry_delay(1, Failure("retry", "", retry_after=61)) is None


@pytest.mark.parametrize("kind", ["overflow", "history", "key", "quota", "model", "refused", "broken"])
def test_only_what_may_pass_is_tried_again(kind: Any) -> None:
    assert retry_delay(1, Failure(kind, "")) is None


def test_the_failures_of_the_network_name_the_host() -> None:
    for failure in (unreachable(MOONSHOT, "refused"), silent(MOONSHOT, 120.0), cut(MOONSHOT)):
        assert failure.kind == "retry"
        assert "api.moonshot.ai" in failure.message
    assert unreachable(MOONSHOT, "bad certificate", for_good=True).kind == "broken"
    assert incomplete("x").kind == "retry"
    local = replace(MOONSHOT, base_url="http://127.0.0.1:8000/v1")
    assert "Is the server running?" in unreachable(local, "refused").message
