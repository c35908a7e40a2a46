"""What happens in a turn, as values: the one thing that connects the loop with any screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.messages import AssistantMessage, ToolCall, Usage
    from kcode.results import TestReport, ToolResult


class TurnEnd(Enum):
    """Why a turn ended."""

    DONE = "done"
    STEP_LIMIT = "step_limit"
    TIME_LIMIT = "time_limit"
    COST_LIMIT = "cost_limit"
    WINDOW_FULL = "window_full"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TurnStarted:
    prompt: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A request is about to leave; `number` counts from 1 within the turn."""

    number: int


@dataclass(frozen=True, slots=True)
class ReasoningStreamed:
    text: str


@dataclass(frozen=True, slots=True)
class TextStreamed:
    text: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The whole reply is here; its calls, if any, run next."""

    message: AssistantMessage
    usage: Usage


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolCallOutput:
    """A piece of a running command's output, decoded, for the screen only."""

    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallFinished:
    call: ToolCall
    result: ToolResult
    seconds: float


@dataclass(frozen=True, slots=True)
class DraftChanged:
    """These paths of the draft differ from what they were before the call or command."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestsFinished:
    __test__ = False

    report: TestReport


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The request failed and goes out again after `seconds`; what came of its reply is discarded."""

    reason: str
    seconds: float
    attempt: int


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The last event of every turn. `usage` sums the turn; its cost is None when any reply's price is unknown."""

    reason: TurnEnd
    text: str
    usage: Usage
    steps: int


Event = (
    TurnStarted
    | StepStarted
    | ReasoningStreamed
    | TextStreamed
    | ReplyFinished
    | ToolCallStarted
    | ToolCallOutput
    | ToolCallFinished
    | DraftChanged
    | TestsFinished
    | RetryScheduled
    | TurnFinished
)
