"""Long work for tests of compaction: a model that reads and reads, writes notes, and an endpoint that refuses too much."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, cast

from kcode.agent.compaction import Compactor
from kcode.agent.conversation import Conversation
from kcode.agent.length import RequestLength, tokens_of
from kcode.agent.turn import Desk, Limits, LiveView, run_turn
from kcode.context.tokens import estimate_tokens
from kcode.errors import ProviderError
from kcode.messages import AssistantMessage, SystemMessage, ToolCall, Usage, UserMessage
from kcode.pricing import Billing, Price
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, UsageDelta
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.requests import RequestWriter
from kcode.results import Failure, ToolResult
from kcode.tooling import Access, Definition, View, tool
from tests.agent.turns import StillView

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
    from pathlib import Path

    from kcode.events import Event
    from kcode.messages import Message
    from kcode.providers import Delta
    from kcode.questions import Ask
    from kcode.tooling import Tool

SYSTEM = SystemMessage("You are a test. " * 40)
FRESH = SystemMessage("You are a test, told anew. " * 30)
FACT = re.compile(r"FACT<[^>]*>")
ASKED = "this conversation has grown long"


@dataclass
class StillGround:
    """A ground for new epochs that lies in memory."""

    own_prompts: Path | None = None
    transcripts: list[str] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    forgotten: int = 0

    def system(self) -> SystemMessage:
        return FRESH

    def changes(self) -> Sequence[str]:
        return [f"{path} | {how}" for path, how in self.changed.items()]

    def changed_paths(self) -> Sequence[str]:
        return list(self.changed)

    def definitions(self, path: str) -> Sequence[Definition] | None:
        return (
            [Definition(1, 9, 0, f"def in_{path.replace('/', '_').removesuffix('.py')}():")] if ".py" in path else None
        )

    def text(self, path: str) -> str | None:
        return self.texts.get(path)

    def keep_transcript(self, text: str) -> str:
        self.transcripts.append(text)
        return f"/tmp/kcode-output/transcript-{len(self.transcripts)}.txt"

    def forget_shown(self) -> None:
        self.forgotten += 1


def is_asking(messages: Sequence[Message]) -> bool:
    """Whether this is the request for a note."""
    last = messages[-1]
    return isinstance(last, UserMessage) and ASKED in last.text


def texts_of(messages: Iterable[Message]) -> str:
    return "\n".join(message.text for message in messages)


@dataclass
class Worker:
    """A model that makes `steps` replies with `calls` calls each and then answers, at an endpoint with a true window.

    A refusal teaches nothing of the window. A note says all facts that the model can see. `bodies` are the requests as they would travel, kept while `keeps_bodies`.
    """

    steps: int
    size: int = 6000
    calls: int = 1
    window: int = 40_000
    true_window: int | None = None
    counts: float = 10 / 11
    note: Callable[[Sequence[Message]], AssistantMessage] | None = None
    billing: Billing = field(default_factory=lambda: Billing(Price(1.0, 10.0, 0.25)))
    keeps_bodies: bool = False
    seen: list[list[Message]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    limits: list[int | None] = field(default_factory=list)
    offered: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        self._writer = RequestWriter(ENDPOINTS["moonshot"], "kimi-k2-thinking", session="s")
        self._counted: dict[int, tuple[Message, int]] = {}

    def switch(self, *, model: str | None = None, key: str | None = None) -> None:
        pass

    async def aclose(self) -> None:
        pass

    def length_of(self, messages: Sequence[Message]) -> int:
        """What this endpoint counts: other than kcode estimates, by `counts`."""
        for message in messages:
            if id(message) not in self._counted:
                self._counted[id(message)] = (message, int(tokens_of(message, estimate_tokens) * self.counts))
        return sum(self._counted[id(message)][1] for message in messages)

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, output_limit: int | None = None
    ) -> AsyncGenerator[Delta, None]:
        length = self.length_of(messages)
        if length > (self.true_window or self.window):
            self.refused.append(length)
            raise ProviderError(Failure("overflow", "The request is longer than the model takes."))
        self.seen.append(list(messages))
        self.lengths.append(length)
        self.limits.append(output_limit)
        self.offered.append(len(tools))
        if self.keeps_bodies:
            self.bodies.append(self._writer.encode(messages, tools, output_limit))
        reply = self._reply(messages)
        if reply.reasoning:
            yield ReasoningDelta(reply.reasoning)
        if reply.text:
            yield TextDelta(reply.text)
        yield UsageDelta(Usage(length, max(1, self.length_of([reply])), 0, 0.01))
        yield ReplyDelta(reply, "tool_calls" if reply.tool_calls else "stop")

    def _reply(self, messages: Sequence[Message]) -> AssistantMessage:
        if is_asking(messages):
            if self.note:
                return self.note(messages)
            facts = dict.fromkeys(FACT.findall(texts_of(messages)))
            return AssistantMessage(f"I work on it. {' '.join(facts)}", "I remember.")
        if self.done == self.steps:
            return AssistantMessage("All is read.", "That was the last.")
        self.done += 1
        first = self.done * self.calls
        return AssistantMessage(
            "",
            f"I read part {self.done}.",
            tuple(
                ToolCall(f"functions.read:{first + place}", "read", f'{{"path": "src/part{first + place}.py"}}')
                for place in range(self.calls)
            ),
        )


class Shelf(StillView):
    """A view with a text of `size` characters behind every path; the first has the facts in it."""

    def __init__(self, size: int, facts: str) -> None:
        super().__init__()
        self.size, self.facts, self.given = size, facts, 0


@tool(Access.READ)
async def read(view: View, path: Annotated[str, "which"]) -> ToolResult:
    """Read a part."""
    shelf = cast("Shelf", view)
    line = f"{path}: def compute_total(amount: float, rate: float) -> float: return round(amount * rate, 2)\n"
    text = shelf.facts * (shelf.given == 0) + line * (shelf.size // len(line) + 1)
    shelf.given += len(text)
    return ToolResult(text)


def desk_of(worker: Worker, *, facts: str = "", steps: int = 10_000, ask: Ask | None = None, **more: float) -> Desk:
    conversation = Conversation([SYSTEM], length=RequestLength())
    view = cast("LiveView", Shelf(worker.size, facts))
    limits = Limits(steps=steps, cost=more.get("cost"))
    return Desk(worker, {"read": read}, view, conversation, limits, ask=ask, compactor=Compactor(StillGround()))


def ground_of(desk: Desk) -> StillGround:
    assert desk.compactor is not None
    return cast("StillGround", desk.compactor.ground)


def work(desk: Desk, prompt: str = "Read all of it.") -> list[Event]:
    async def go() -> list[Event]:
        return [event async for event in run_turn(desk, prompt)]

    return asyncio.run(go())
