"""What the replies of a probe tell. Pure: replies in, checks and a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.providers.dialects import dialect_for
from kcode.providers.probe import Check
from kcode.providers.probe.tasks import LIMIT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kcode.messages import AssistantMessage, ToolCall, Usage
    from kcode.providers.dialects import Dialect
    from kcode.providers.probe import Level, Verdict
    from kcode.providers.probe.raw import RawReply
    from kcode.providers.probe.tasks import Task
    from kcode.providers.served import ServedModel

    # What is wrong with a call: None, "mended" when kcode can read it all the same, or words.
    WrongWith = Callable[[ToolCall], str | None]

OVERRUN = "overrun"
_FEWEST_VALID = 0.5
_SLACK = 16
_CHARS_A_TOKEN = 4
_FEWEST_THOUGHT = 64


@dataclass(frozen=True, slots=True)
class Observed:
    """One reply: as kcode reads it, as it was sent, and its times in seconds.

    `finish` is OVERRUN when it was left because it went on far beyond what was allowed.
    """

    message: AssistantMessage
    finish: str
    usage: Usage | None
    raw: RawReply
    first: float | None
    seconds: float

    @property
    def tokens(self) -> int:
        """The tokens of the reply as the endpoint counts them, else a guess."""
        if self.usage and self.usage.completion_tokens:
            return self.usage.completion_tokens
        return (len(self.raw.reasoning) + len(self.raw.content)) // _CHARS_A_TOKEN


def judge_window(served: Sequence[ServedModel], model: str, window: int) -> Check:
    """The context that the list of models claims, beside kcode's figure."""
    row = next((row for row in served if row.id == model), None)
    if row is None:
        return Check("window", "weak", f"{model} is not in the endpoint's list of {len(served)} models", short="an id that it does not list")  # fmt: skip
    facts = {"claimed": row.window, "assumed": window}
    if row.window is None:
        return Check("window", "unknown", f"the list does not tell; kcode takes {window:,} tokens", facts)
    if row.window < window:
        text = f"claims {row.window:,} tokens, less than the {window:,} that kcode takes"
        return Check("window", "weak", text, facts, "a smaller window")
    return Check("window", "ok", f"claims {row.window:,} tokens; kcode takes {window:,}", facts)


def judge_reasoning(replies: Iterable[Observed], model: str) -> Check:
    """Whether reasoning streams, and under which key."""
    for reply in replies:
        if reply.raw.reasoning_key:
            key = reply.raw.reasoning_key
            return Check("reasoning", "ok", f"streams as {key}", {"key": key})
        if reply.raw.thinks_in_content:
            return Check("reasoning", "ok", "comes inside the content, as <think>…</think>", {"key": "think"})
    if "thinking" in model.lower():
        return Check("reasoning", "weak", "none came, though the model's name promises it", {"key": None}, "no reasoning shown")  # fmt: skip
    return Check("reasoning", "unknown", "none came; perhaps the model does not reason", {"key": None})


def judge_speed(reply: Observed) -> Check:
    """The time to the first token, and the speed after it."""
    if reply.first is None:
        return Check("speed", "unknown", f"an empty reply after {reply.seconds:.1f} s")
    rest = reply.seconds - reply.first
    # A reply that arrives in one piece tells nothing about the speed.
    speed = reply.tokens / rest if rest > 0.05 and reply.tokens > 1 else None
    facts = {"first_token_seconds": round(reply.first, 3), "tokens_per_second": speed and round(speed, 1)}
    more = f", then {speed:.0f} tokens a second" if speed else ""
    return Check("speed", "ok", f"{reply.first:.1f} s to the first token{more}", facts)


def judge_usage(replies: Sequence[Observed]) -> Check:
    """Whether the tokens are told."""
    told = [reply.usage for reply in replies if reply.usage and reply.usage.prompt_tokens]
    if len(told) < len(replies):
        text = "not told" if not told else f"told in {len(told)} of {len(replies)} replies"
        return Check("usage", "weak", f"{text}: cost and context can only be guessed", short="no usage figures")
    last = told[-1]
    cost = (
        ", and the cost" if last.cost is not None and replies[-1].raw.usage and "cost" in replies[-1].raw.usage else ""
    )
    return Check("usage", "ok", f"told: {last.prompt_tokens:,} tokens in, {last.completion_tokens:,} out{cost}")


def judge_calls(tries: Sequence[Observed], wrong_with: WrongWith) -> Check:
    """How many of the calls fit their tool's schema."""
    calls = [call for reply in tries for call in reply.message.tool_calls]
    asked = f"{len(tries)} tries that asked for one" if len(tries) != 1 else "one try that asked for it"
    if not calls:
        return Check("calls", "unknown", f"no tool was called in {asked}", {"calls": 0, "tries": len(tries)})
    wrong = [found for call in calls if (found := wrong_with(call)) is not None]
    mended = wrong.count("mended")
    valid = len(calls) - len(wrong)
    facts = {"calls": len(calls), "valid": valid, "mended": mended, "tries": len(tries)}
    text = f"{valid} of {len(calls)} calls valid in {len(tries)} tries"
    if mended:
        text += f"; {mended} more can be read all the same"
    if broken := [found for found in wrong if found != "mended"]:
        text += f"; {broken[0]}"
    usable = valid + mended
    level: Level = "ok" if valid == len(calls) else "weak" if usable / len(calls) > _FEWEST_VALID else "bad"
    return Check("calls", level, text, facts, f"{len(calls) - valid} of {len(calls)} calls invalid")


def judge_parallel(task: Task, reply: Observed | None) -> Check:
    """Whether several calls come in one reply when they are asked for."""
    count = len(reply.message.tool_calls) if reply else 0
    if not count:
        return Check("parallel", "unknown", "no tool was called where several were asked for")
    facts = {"calls": count, "asked": task.calls}
    if count == 1:
        return Check(
            "parallel", "weak", f"one call in a reply that asked for {task.calls}", facts, "one call at a time"
        )
    return Check("parallel", "ok", f"{count} calls in one reply", facts)


def judge_ids(tries: Iterable[Observed], dialect: Dialect, model: str, *, taken: bool | None) -> Check:
    """Which ids the calls have, and whether those that kcode sends come through. `taken` is the follow-up's fate."""
    given = [call_id for reply in tries for call_id in reply.raw.call_ids]
    facts = {"given": given[:8]}
    if taken is None:
        return Check("tool_ids", "unknown", "no call, so no id was seen", facts)
    numbered = dialect_for(dialect, model).tool_ids == "k2"
    sent = "functions.NAME:N" if numbered else "those that came"
    gives = f"gives {given[0]}" if given else "gives none"
    if not taken:
        return Check("tool_ids", "unknown", f"{gives}; the follow-up with {sent} was refused", facts)
    return Check("tool_ids", "ok", f"{gives}; takes back {sent}", facts | {"sent": "k2" if numbered else "kept"})


def judge_return(before: Observed, after: Observed) -> Check:
    """A follow-up that was taken: whether the reasoning in it counts, as far as the figures tell."""
    if not before.raw.reasoning and not before.raw.thinks_in_content:
        return Check("reasoning_back", "unknown", "the reply with the call held no reasoning; the follow-up was taken")
    counted = _is_counted(before, after)
    facts = {"counted": counted}
    if counted is False:
        text = "taken back, but the prompt did not grow by it: the server seems to drop it"
        return Check("reasoning_back", "weak", text, facts, "reasoning that is dropped")
    more = ", and counted in the prompt" if counted else "; whether it counts the figures do not tell"
    return Check("reasoning_back", "ok", f"taken back with the call and its result{more}", facts)


def _is_counted(before: Observed, after: Observed) -> bool | None:
    thought = len(before.raw.reasoning) // _CHARS_A_TOKEN
    told = before.usage and after.usage and before.usage.prompt_tokens and after.usage.prompt_tokens
    if not told or thought < _FEWEST_THOUGHT or before.usage is None or after.usage is None:
        return None
    grown = after.usage.prompt_tokens - before.usage.prompt_tokens
    if grown >= before.usage.completion_tokens:
        return True
    return False if grown < before.usage.completion_tokens - thought / 2 else None


def judge_cache(after: Observed) -> Check:
    """Whether a prefix that was sent just before counts as cached."""
    usage, said = after.usage, after.raw.usage or {}
    details = said.get("prompt_tokens_details")
    told = "cached_tokens" in said or (isinstance(details, dict) and "cached_tokens" in details)
    if usage is None or not told:
        return Check("cache", "unknown", "cached tokens are not told")
    facts = {"cached_tokens": usage.cached_tokens, "prompt_tokens": usage.prompt_tokens}
    if not usage.cached_tokens:
        return Check("cache", "weak", "none told for a prompt that it had just seen", facts, "no cache seen")
    return Check(
        "cache", "ok", f"{usage.cached_tokens:,} of {usage.prompt_tokens:,} tokens of a repeated prompt", facts
    )


def judge_limit(reply: Observed) -> Check:
    """Whether a long answer stops at the limit that was sent."""
    facts = {"limit": LIMIT_TOKENS, "finish": reply.finish, "tokens": reply.tokens}
    within = reply.tokens <= LIMIT_TOKENS + _SLACK
    if reply.finish == "length" and within:
        return Check("limit", "ok", f"stops at {LIMIT_TOKENS} tokens and says so (finish_reason length)", facts)
    if reply.finish != OVERRUN and within:
        return Check(
            "limit", "unknown", f"the answer was short by itself ({reply.tokens} tokens, {reply.finish})", facts
        )
    text = f"a limit of {LIMIT_TOKENS} tokens did not stop a reply of {'more than ' if reply.finish == OVERRUN else ''}{reply.tokens}"
    return Check("limit", "weak", text, facts, "an output limit that does not hold")


def judge_leaks(replies: Sequence[Observed]) -> Check:
    """Whether marks of the model's own grammar stand in what should be plain text."""
    leaking = [reply for reply in replies if reply.raw.leaks]
    if not leaking:
        return Check("leaks", "ok", f"none in {len(replies)} replies")
    marks = tuple(dict.fromkeys(mark for reply in leaking for mark in reply.raw.leaks))
    lost = [
        reply for reply in leaking if not reply.message.tool_calls and any("tool" in mark for mark in reply.raw.leaks)
    ]
    text = f"{', '.join(marks[:4])} in the text of {len(leaking)} of {len(replies)} replies"
    if lost:
        text += f"; the calls in {len(lost)} of them are lost"
    return Check("leaks", "bad" if lost else "weak", text, {"marks": list(marks), "replies": len(leaking)}, "leaked tokens")  # fmt: skip


def verdict_of(checks: Sequence[Check]) -> tuple[Verdict, str]:
    """The sum of the checks of a probe that came to its end."""
    levels = {check.name: check for check in checks}
    calls = levels.get("calls")
    for name in ("tools", "follow_up"):
        if name in levels:
            return "unfit", f"not fit for tools: {levels[name].short}"
    if calls is None or calls.level in {"unknown", "bad"}:
        why = calls.text if calls else "no tool could be tried"
        leaks = levels.get("leaks")
        more = ", and calls leaked into the text" if leaks and leaks.level == "bad" else ""
        return "unfit", f"not fit for tools: {why}{more}"
    weak = [check.short for check in checks if check.level in {"weak", "bad"}]
    if weak:
        return "usable", f"usable, with {', '.join(weak)}"
    open_ones = [check.name for check in checks if check.level == "unknown"]
    return "good", "good" + (f"; not found out: {', '.join(open_ones)}" if open_ones else "")
