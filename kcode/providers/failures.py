"""What went wrong with a request, and what may be done about it. Pure: status, headers and body in, a Failure out."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from kcode.providers.sse import decode_body
from kcode.results import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.providers.endpoints import Endpoint
    from kcode.results import FailureKind

_FIRST_DELAY, _LONGEST_DELAY, _JITTER = 0.5, 32.0, 0.25
_LONGEST_WAIT = 60.0
_SAID_LENGTH = 4000

# The texts of Moonshot, OpenAI, OpenRouter and the open engines, as the clients that met them list them.
_OVERFLOW = re.compile(
    r"context[ _-]?length|context[ _-]?window.*exceed|exceed.*context[ _-]?(?:window|size)|maximum context"
    r"|exceed(?:ed|s|ing)?\s+(?:the\s+)?max(?:imum)?\s+tokens?|too many tokens.*(?:prompt|input|context)"
    r"|(?:prompt|input|context).*too many tokens|prompt is too long|input token count.*exceeds?.*maximum"
    r"|request.*exceed(?:ed|s|ing)?.*model token limit|input token length too long|request exceeds the maximum size",
    re.DOTALL,
)
_HISTORY = re.compile(
    r"tool_call_id.*not found|role\s+['\"`]?tool['\"`]?\s+must be a response to a preceding message"
    r"|assistant message with\s+['\"`]?tool_calls['\"`]?\s+must be followed by tool messages"
    r"|tool_call_ids? did not have response messages|insufficient tool messages following"
    r"|reasoning_content is missing|function name is invalid|text content is empty"
    r"|message at position \d+ .*must not be empty",
    re.DOTALL,
)
_QUOTA = re.compile(
    r"exceeded_current_quota_error|insufficient_quota|exceeded your current (?:token )?quota|check your account balance"
    r"|insufficient (?:balance|credits|funds)|recharge your account|please recharge|account (?:is )?in arrears"
    r"|requires more credits|billing_hard_limit"
)
_KEY = re.compile(r"invalid_authentication|incorrect_api_key|invalid_api_key|incorrect api key|invalid api key")
_REFUSED = re.compile(r"content_filter|considered high risk|content_policy|moderation|flagged")
_MODEL = re.compile(
    r"model_not_found|resource_not_found|unknown model|invalid model|no endpoints found"
    r"|not a valid model|model\b.{0,120}\b(?:not found|not exist|not available|not supported|no longer)"
    r"|not found the model",
    re.DOTALL,
)
_BUSY = re.compile(r"overloaded|rate_?limit|too many requests|temporarily|time(?:d)? ?out|try again")
_AFTER = re.compile(r"(?:after|in) (\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|minutes?)\b")
_RETRY_STATUSES = frozenset({408, 409, 425, 429, *range(500, 600)}) - {501, 505}


def classify(status: int, headers: Mapping[str, str], body: bytes, endpoint: Endpoint, model: str) -> Failure:
    """The failure that a response of any status but 200 means. Names in `headers` are in lower case."""
    if 300 <= status < 400:
        return Failure("broken", _redirected(endpoint, headers), status=status)
    text, said = _said_by(body)
    kind = _kind(status, text)
    wait = _retry_after(headers, text) if kind == "retry" else None
    message = _message(kind, status, said, endpoint, model) + _trace(headers)
    return Failure(kind, message, wait, status, said=text[:_SAID_LENGTH])


def classify_stream_error(error: Any) -> Failure:
    """The failure that an `error` object inside a stream, or inside an answer with status 200, means."""
    if isinstance(error, dict) and error.get("error"):
        error = error["error"]
    text, said = _described(error)
    code = error.get("code") if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int | str) and str(code).isdigit() and 400 <= int(code) < 600 else None
    kind: FailureKind = _kind(status or 500, text)
    message = f"The endpoint broke the reply off: {said}."
    return Failure(kind, message, _retry_after({}, text), status, said=text[:_SAID_LENGTH])


def incomplete(what: str) -> Failure:
    """The failure of a reply that cannot be used because it is not whole."""
    return Failure("retry", f"The endpoint's reply cannot be used: {what}.")


def unreachable(endpoint: Endpoint, reason: str, *, for_good: bool = False) -> Failure:
    """The failure of a request that did not get through. `for_good` when another try meets the same."""
    advice = "Is the server running?" if endpoint.is_loopback else "Check the network and the base URL."
    message = f"Could not reach {endpoint.host}: {reason}. {advice}"
    return Failure("broken" if for_good else "retry", message, attempts=3)


def silent(endpoint: Endpoint, seconds: float) -> Failure:
    """The failure of an endpoint that stopped sending."""
    return Failure("retry", f"{endpoint.host} sent nothing for {seconds:g} seconds.", attempts=4)


def cut(endpoint: Endpoint) -> Failure:
    """The failure of a connection that ended in the middle."""
    return Failure("retry", f"The connection to {endpoint.host} broke in the middle of the reply.")


def retry_delay(attempt: int, failure: Failure, jitter: float = 0.0) -> float | None:
    """Seconds to wait before the next try, `attempt` tries having failed; None when no other try should be made.

    Doubles from half a second to 32, and `jitter` between 0 and 1 adds up to a quarter. What the endpoint asks for
    counts instead, up to a minute; when it asks for more, there is no other try.
    """
    if failure.kind != "retry" or attempt >= failure.attempts:
        return None
    if failure.retry_after is not None:
        return None if failure.retry_after > _LONGEST_WAIT else failure.retry_after + _JITTER * jitter
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** max(0, attempt - 1)) * (1 + _JITTER * jitter)


def _kind(status: int, text: str) -> FailureKind:
    if _QUOTA.search(text) or status == 402:
        return "quota"
    if status in {400, 413, 422, 500} and _OVERFLOW.search(text):
        return "overflow"
    if status in {400, 422, 500} and _HISTORY.search(text):
        return "history"
    if status == 401 or _KEY.search(text):
        return "key"
    if status < 500 and status != 429 and _REFUSED.search(text):
        return "refused"
    if status in {400, 404, 410, 422} and _MODEL.search(text):
        return "model"
    if status in _RETRY_STATUSES:
        return "retry"
    if status == 413:
        return "overflow"
    if status == 403:
        return "refused"
    return "retry" if status < 400 and _BUSY.search(text) else "broken"


def _message(kind: FailureKind, status: int, said: str, endpoint: Endpoint, model: str) -> str:
    answer = f"{endpoint.host} answered {status}" + (f": {said}" if said else "")
    variable = " or ".join((*endpoint.key_variables, "KCODE_API_KEY"))
    page = f" Get one at {endpoint.key_page}." if endpoint.key_page else ""
    match kind:
        case "key":
            region = (
                " Keys of moonshot.ai and moonshot.cn are not interchangeable." if "moonshot" in endpoint.host else ""
            )
            return f"The key was refused by {endpoint.title}. {answer}.{page} Set it in {variable}.{region}"
        case "quota":
            return f"The account has no money or quota left. {answer}. Top it up, or choose another --endpoint."
        case "overflow":
            return f"The request is longer than the model takes. {answer}. Start a new session or narrow the task."
        case "model":
            return f"The model {model!r} is not served by {endpoint.title}. {answer}. Choose another with --model."
        case "refused":
            return f"The endpoint refused the request. {answer}."
        case "history":
            return f"The endpoint did not take the conversation. {answer}."
        case _ if status == 404:
            return f"Nothing answers at {endpoint.base_url}/chat/completions. {answer}. Does the base URL end in /v1?"
        case _:
            return f"{answer}."


def _redirected(endpoint: Endpoint, headers: Mapping[str, str]) -> str:
    target = headers.get("location", "")[:200] or "another place"
    return (
        f"{endpoint.host} redirects to {target}. kcode does not follow, since that would send the conversation there; "
        "if that place is right, give it as --base-url."
    )


def _said_by(body: bytes) -> tuple[str, str]:
    decoded = decode_body(body)
    if decoded is None:
        text = body[:2000].decode("utf-8", "replace").strip()
        if text.startswith("<"):
            title = re.search(r"(?is)<title[^>]*>(.*?)</title>", text)
            return text.lower(), "a web page" + (f", “{_short(title[1])}”" if title else "")
        return text.lower(), _short(text)
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    if isinstance(decoded, dict) and decoded.get("error"):
        decoded = decoded["error"]
    return _described(decoded)


def _described(error: Any) -> tuple[str, str]:
    """All that an error object says, in lower case for matching, and the short form for the user."""
    if not isinstance(error, dict):
        return str(error).lower(), _short(str(error))
    nested = error.get("error")
    if isinstance(nested, dict):
        return _described(nested)
    message = error.get("message") or error.get("detail") or error.get("msg") or nested or ""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    parts = [str(error.get("type") or ""), str(error.get("code") or ""), str(message), str(raw or "")]
    if raw:
        # OpenRouter: "Provider returned error", with the host's own body as text beside it.
        inner = _said_by(str(raw).encode("utf-8", "replace"))[1]
        message = (
            f"{message} ({metadata.get('provider_name', 'host')}: {inner})" if isinstance(metadata, dict) else inner
        )
    return " ".join(parts).lower(), _short(str(message) or str(error.get("type") or error.get("code") or ""))


def _short(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip().rstrip(".")
    return text if len(text) <= 400 else text[:399] + "…"


def _trace(headers: Mapping[str, str]) -> str:
    """The endpoint's own number of the request, which its support asks for."""
    trace = headers.get("x-trace-id") or headers.get("x-request-id") or headers.get("x-generation-id")
    return f" (request {trace[:80]})" if trace else ""


def _retry_after(headers: Mapping[str, str], text: str) -> float | None:
    if milliseconds := headers.get("retry-after-ms"):
        try:
            return max(0.0, float(milliseconds) / 1000)
        except ValueError:
            pass
    if given := headers.get("retry-after", "").strip():
        try:
            return max(0.0, float(given))
        except ValueError:
            return _seconds_until(given)
    if found := _AFTER.search(text):
        unit = found[2]
        return float(found[1]) * (0.001 if unit.startswith(("ms", "milli")) else 60 if unit.startswith("m") else 1)
    return None


def _seconds_until(date: str) -> float | None:
    import email.utils  # noqa: PLC0415 - 10 ms, for a form of the header that hardly any endpoint uses

    parsed = email.utils.parsedate_tz(date)
    return max(0.0, email.utils.mktime_tz(parsed) - time.time()) if parsed else None
