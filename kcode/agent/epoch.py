"""What a new epoch begins with: the user's own words, the model's note and the state of the work. Pure."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.context.budget import keep_end, keep_start
from kcode.context.tokens import estimate_tokens
from kcode.messages import KCODE_NOTE, AssistantMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.context.budget import Budget
    from kcode.messages import Message, SystemMessage
    from kcode.tooling import Definition

_LAST_CALLS, _CALL_WIDTH = 20, 160
_GAP = UserMessage(f"{KCODE_NOTE} some of the user's words are left out here, since they are too long.")


@dataclass(frozen=True, slots=True)
class Shares:
    """How many tokens the new epoch gives to the user's first and last words, to outlines, and to the files they keep."""

    users_head: int
    users_tail: int
    outlines: int
    pinned: int


def shares_of(budget: Budget) -> list[Shares]:
    """From the most to the least that a new epoch may keep of what only helps."""
    most = Shares(budget.users_head, budget.users_tail, budget.outlines, budget.pinned)
    bare = replace(most, outlines=0)
    return [
        most,
        replace(most, outlines=most.outlines // 2),
        bare,
        replace(bare, pinned=most.pinned // 2),
        replace(bare, users_tail=most.users_tail // 2, pinned=most.pinned // 2),
        replace(bare, users_tail=most.users_tail // 6, pinned=0),
    ]


def split_waiting(messages: Sequence[Message]) -> tuple[list[Message], list[UserMessage]]:
    """The messages without those of the user at their end, which no reply has answered; and those."""
    end = len(messages)
    while end and isinstance(messages[end - 1], UserMessage):
        end -= 1
    return list(messages[:end]), [m for m in messages[end:] if isinstance(m, UserMessage)]


def has_replies(messages: Iterable[Message]) -> bool:
    """Whether the model said anything in this epoch; else another compaction would only repeat the last."""
    return any(isinstance(message, AssistantMessage) for message in messages)


def is_users_own(message: Message) -> bool:
    return isinstance(message, UserMessage) and not message.text.startswith(KCODE_NOTE)


def users_words(messages: Iterable[Message], head: int, tail: int) -> list[Message]:
    """The user's messages, word for word; of what is longer than `head` and `tail` tokens together the middle is missing."""
    kept = [message for message in messages if is_users_own(message) or message == _GAP]
    own = [message.text for message in kept if isinstance(message, UserMessage) and message != _GAP]
    if sum(map(estimate_tokens, own)) <= head + tail:
        return kept
    first = _taken(own, head)
    # What the start took is not repeated at the end.
    rest = [*own]
    for place, text in enumerate(first):
        rest[place] = own[place][len(text) :]
    last = _taken_from_end([text for text in rest if text], tail)
    return [*map(UserMessage, first), _GAP, *map(UserMessage, last)]


def _taken(texts: Sequence[str], tokens: int) -> list[str]:
    taken: list[str] = []
    for text in texts:
        size = estimate_tokens(text)
        if size > tokens:
            part = keep_start(text, tokens)
            return [*taken, part] if part else taken
        taken.append(text)
        tokens -= size
    return taken


def _taken_from_end(texts: Sequence[str], tokens: int) -> list[str]:
    taken: list[str] = []
    for text in reversed(texts):
        size = estimate_tokens(text)
        if size > tokens:
            part = keep_end(text, tokens)
            return [part, *taken] if part else taken
        taken.insert(0, text)
        tokens -= size
    return taken


def begin_with(
    system: SystemMessage, words: Iterable[Message], note: str, waiting: Iterable[UserMessage]
) -> list[Message]:
    """The first messages of a new epoch; none of them is a reply or a result, so none can lack its other half.

    What kcode found for words that wait for an answer stays before them; what it said after them is gone.
    """
    unanswered = list(waiting)
    while unanswered and not is_users_own(unanswered[-1]):
        unanswered.pop()
    return [system, *words, UserMessage(f"{KCODE_NOTE} {note}"), *unanswered]


def paths_at_hand(messages: Sequence[Message]) -> list[str]:
    """The paths that the calls of this epoch named, the last first."""
    found: dict[str, None] = {}
    for message in reversed(messages):
        for call in reversed(message.tool_calls) if isinstance(message, AssistantMessage) else ():
            if path := path_of(call.arguments):
                found.setdefault(path)
    return list(found)


def path_of(arguments: str) -> str | None:
    """The path that a call's arguments name; None where they name none."""
    try:
        value = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return None
    path = value.get("path") if isinstance(value, dict) else None
    return posixpath.normpath(path) if isinstance(path, str) and path else None


def changed_first(at_hand: Sequence[str], changed: Sequence[str]) -> list[str]:
    """All of the paths once: those that were changed first, and of these and of the others those at hand first."""
    known = set(changed)
    both = [path for path in at_hand if path in known]
    return list(dict.fromkeys([*both, *changed, *at_hand]))


def write_outline(path: str, found: Iterable[Definition]) -> str:
    """The definitions of a file as the outline tool shows them."""
    return f"{path}:\n" + "\n".join(f"{one.start}-{one.end} {'  ' * one.depth}{one.text}" for one in found)


def fit_outlines(outlines: Iterable[str], tokens: int) -> str:
    """As many of the outlines, in their order, as have so many tokens together; of the last a part."""
    kept: list[str] = []
    for outline in outlines:
        size = estimate_tokens(outline)
        if size > tokens:
            lines = keep_start(outline, tokens).split("\n")[:-1]
            return "\n\n".join([*kept, "\n".join([*lines, "…"])] if len(lines) > 1 else kept)
        kept.append(outline)
        tokens -= size
    return "\n\n".join(kept)


def list_last_calls(messages: Sequence[Message]) -> str:
    """What the model did last, for a note that it did not write."""
    calls = [call for message in messages if isinstance(message, AssistantMessage) for call in message.tool_calls]
    lines = [f"- {call.name} {' '.join(call.arguments.split())[:_CALL_WIDTH]}" for call in calls[-_LAST_CALLS:]]
    return "No note could be had of the work so far. My last calls were:\n" + "\n".join(lines)
