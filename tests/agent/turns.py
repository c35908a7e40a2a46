"""Turns of a scripted provider over a view of nothing, with tools made for the tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, cast

from kcode.agent.conversation import Conversation
from kcode.agent.turn import Desk, Limits, LiveView, run_turn
from kcode.errors import ProviderError
from kcode.events import Event, TurnFinished
from kcode.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, Usage
from kcode.pricing import Billing, Price
from kcode.providers import Delta, ReasoningDelta, ReplyDelta, TextDelta, UsageDelta
from kcode.results import Failure, ToolResult
from kcode.tooling import Access, Tool, View, tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from kcode.questions import Ask


@dataclass
class ScriptedProvider:
    """Plays replies in order; a Failure in the list is raised in place of a reply, after a first piece of text."""

    replies: list[AssistantMessage | Failure]
    usage: Usage = field(default_factory=lambda: Usage(100, 10, 0, 0.01))
    window: int = 100_000
    seen: list[list[Message]] = field(default_factory=list)
    stalls: bool = False
    billing: Billing = field(default_factory=lambda: Billing(Price(1.0, 10.0)))
    pieces: int = 1_000_000
    sent: int = 0
    switched: list[tuple[str | None, str | None]] = field(default_factory=list)
    finish: dict[int, str] = field(default_factory=dict)
    """What the reply of this number ends with, where that is not stop or tool_calls."""

    def switch(self, *, model: str | None = None, key: str | None = None) -> None:
        self.switched.append((model, key))

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, output_limit: int | None = None
    ) -> AsyncGenerator[Delta, None]:
        del tools, output_limit
        self.seen.append(list(messages))
        if self.stalls:
            await asyncio.Event().wait()
        reply = self.replies.pop(0)
        if isinstance(reply, Failure):
            yield TextDelta("half a")
            raise ProviderError(reply)
        reasoning = reply.reasoning or ""
        for start in range(0, len(reasoning), self.pieces):
            self.sent += self.pieces
            yield ReasoningDelta(reasoning[start : start + self.pieces])
        if reply.text:
            yield TextDelta(reply.text)
        yield UsageDelta(self.usage)
        yield ReplyDelta(reply, self.finish.get(len(self.seen), "tool_calls" if reply.tool_calls else "stop"))

    async def aclose(self) -> None:
        pass


class StillView:
    """A view over nothing: the tools of these tests only use what the loop itself needs."""

    def __init__(self) -> None:
        self.on_output: Callable[[str], None] | None = None
        self.call = ""
        self.changed: list[str] = []
        self.log: list[str] = []
        self.hanging = asyncio.Event()

    async def ready(self) -> None:
        self.log.append("ready")

    def take_changes(self) -> tuple[str, ...]:
        changed, self.changed = tuple(self.changed), []
        return changed


@tool(Access.READ)
async def note(view: View, text: Annotated[str, "what"]) -> ToolResult:
    """Note something."""
    mine = cast("StillView", view)
    mine.log.append(text)
    mine.changed.append(text)
    if mine.on_output:
        mine.on_output(f"noting {text}")
    return ToolResult(f"noted {text}")


@tool(Access.EXECUTE)
async def hang(view: View) -> ToolResult:
    """Never end."""
    cast("StillView", view).hanging.set()
    await asyncio.Event().wait()
    return ToolResult("")


@tool(Access.READ)
async def broken(view: View) -> ToolResult:
    """Fail."""
    del view
    raise ZeroDivisionError("by zero")


@tool(Access.EDIT)
async def refuse(view: View, path: Annotated[str, "file"] = "") -> ToolResult:
    """Refuse."""
    del view, path
    return ToolResult("refused", failed=True)


@tool(Access.EXECUTE)
async def execute(view: View) -> ToolResult:
    """Run."""
    del view
    return ToolResult("ran")


def call(name: str, number: int, arguments: str = "{}") -> ToolCall:
    return ToolCall(f"functions.{name}:{number}", name, arguments)


def desk_with(
    *replies: AssistantMessage | Failure, limits: Limits | None = None, ask: Ask | None = None, **provider: Any
) -> Desk:
    tools = {item.name: item for item in (note, hang, broken, refuse, execute)}
    view = cast("LiveView", StillView())
    conversation = Conversation([SystemMessage("You are a test.")])
    return Desk(ScriptedProvider(list(replies), **provider), tools, view, conversation, limits or Limits(), ask=ask)


async def collect(desk: Desk, prompt: str = "go") -> list[Event]:
    return [event async for event in run_turn(desk, prompt)]


def run(desk: Desk) -> list[Event]:
    return asyncio.run(collect(desk))


def finish(events: list[Event]) -> TurnFinished:
    assert isinstance(events[-1], TurnFinished)
    return events[-1]


def answers(desk: Desk) -> list[tuple[str, str]]:
    return [(m.call_id, m.text) for m in desk.conversation.messages if isinstance(m, ToolMessage)]


def all_calls_are_answered_once_and_directly_behind(messages: Sequence[Message]) -> bool:
    rest = list(messages)
    while rest:
        message = rest.pop(0)
        if isinstance(message, ToolMessage):
            return False
        if isinstance(message, AssistantMessage):
            for expected in message.tool_calls:
                if not rest or not isinstance(rest[0], ToolMessage) or rest.pop(0).call_id != expected.id:  # type: ignore[union-attr]
                    return False
    return True


DONE = AssistantMessage("All done.", "I am finished.")
NOTE = AssistantMessage("", "I note.", (call("note", 0, '{"text": "a"}'), call("note", 1, '{"text": "b"}')))
