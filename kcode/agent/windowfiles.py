"""Which files a conversation has read and changed, and how much of the window that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.agent.epoch import path_of
from kcode.context.tokens import estimate_tokens
from kcode.messages import AssistantMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kcode.messages import Message


@dataclass(frozen=True, slots=True)
class WindowFile:
    """A path that `calls` calls named; `tokens` is what these and their results take, estimated."""

    path: str
    tokens: int
    calls: int


def files_in_window(messages: Iterable[Message], count: Callable[[str], int] = estimate_tokens) -> list[WindowFile]:
    """The paths that this epoch's calls named, the one that takes most first."""
    tokens: dict[str, int] = {}
    calls: dict[str, int] = {}
    asked: dict[str, str] = {}
    for message in messages:
        if isinstance(message, AssistantMessage):
            for call in message.tool_calls:
                if path := path_of(call.arguments):
                    asked[call.id] = path
                    tokens[path] = tokens.get(path, 0) + count(call.arguments)
                    calls[path] = calls.get(path, 0) + 1
        elif isinstance(message, ToolMessage) and (named := asked.pop(message.call_id, None)):
            tokens[named] += count(message.text)
    found = [WindowFile(path, size, calls[path]) for path, size in tokens.items()]
    return sorted(found, key=lambda file: (-file.tokens, file.path))
