"""A conversation as text: whole for a file, or short enough for one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.budget import keep_end, keep_start
from kcode.context.tokens import estimate_tokens
from kcode.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.messages import Message

# Characters of one result in a shortened transcript: the first of these with which it is short enough.
_RESULT_LENGTHS = (2000, 500, 100)


def write_transcript(messages: Iterable[Message]) -> str:
    """All that was said, thoughts included, but for the system prompt."""
    return "\n".join(_written(message) for message in messages if not isinstance(message, SystemMessage))


def shorten_transcript(messages: Sequence[Message], tokens: int) -> str:
    """What was said in at most about so many tokens: without thoughts, the results cut, and at worst with a gap.

    Where even short results are too long, a tenth is the start of it and the rest the end.
    """
    text = ""
    for length in _RESULT_LENGTHS:
        text = "\n".join(_written(message, length) for message in messages if not isinstance(message, SystemMessage))
        if estimate_tokens(text) <= tokens:
            return text
    head, tail = keep_start(text, tokens // 10), keep_end(text, tokens * 9 // 10)
    return f"{head}\n[… about {len(text) - len(head) - len(tail):,} characters left out …]\n{tail}"


def _written(message: Message, longest: int | None = None) -> str:
    match message:
        case ToolMessage(_, name, text):
            return f"=== result of {name}\n{_cut(text, longest)}\n"
        case UserMessage(text) | SystemMessage(text):
            return f"=== user\n{text}\n"
        case AssistantMessage(text, reasoning, calls):
            thoughts = f"=== assistant, thinking\n{reasoning}\n" if reasoning and longest is None else ""
            said = f"=== assistant\n{text}\n" if text.strip() else ""
            called = "".join(f"=== call of {call.name}\n{_cut(call.arguments, longest)}\n" for call in calls)
            return thoughts + said + called


def _cut(text: str, longest: int | None) -> str:
    if longest is None or len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[len(text) - half :]}"
