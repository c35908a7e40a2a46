"""A turn that ended in the middle, without a word of that in the conversation: what the next one tells the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.owncommands import find_command
from kcode.messages import KCODE_NOTE, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.messages import Message

ENDED_EARLY = (
    f"{KCODE_NOTE} your last turn ended here before you had answered: the user interrupted it, or a limit or an error "
    "ended it. Of a reply that was coming nothing is left, and none of its calls ran."
)


def untold_ending(messages: Sequence[Message]) -> tuple[Message, ...]:
    """What is to be told before the user's next message; nothing where the turn was through, or its end is told already.

    What the user ran meanwhile stands behind it and says nothing of it.
    """
    for message in reversed(messages):
        match message:
            case UserMessage(text) if find_command(text) is not None:
                continue
            case UserMessage(text) if text.startswith(KCODE_NOTE):
                return ()
            case UserMessage() | ToolMessage():
                return (UserMessage(ENDED_EARLY),)
            case _:
                return ()
    return ()
