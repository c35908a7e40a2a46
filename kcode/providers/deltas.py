"""The deltas of a reply on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.providers import ReasoningDelta, TextDelta, ToolCallDelta

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.providers import Delta


def join_deltas(deltas: Iterable[Delta]) -> list[Delta]:
    """The same deltas, with neighbours of one kind as one."""
    joined: list[Delta] = []
    for delta in deltas:
        match delta, joined[-1] if joined else None:
            case ReasoningDelta(text), ReasoningDelta(before):
                joined[-1] = ReasoningDelta(before + text)
            case TextDelta(text), TextDelta(before):
                joined[-1] = TextDelta(before + text)
            case ToolCallDelta(index, name, text), ToolCallDelta(of, called, before) if (index, name) == (of, called):
                joined[-1] = ToolCallDelta(index, name, before + text)
            case _:
                joined.append(delta)
    return joined
