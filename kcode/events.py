"""What happens in a turn, as values: the one thing that connects the loop with any screen."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    STUCK = "stuck"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """`words` is what the user said, where the prompt holds more than that; else it is the prompt."""

    prompt: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """What the user said while the turn ran went into the conversation; the next request has it."""

    text: str


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
    """The whole reply is here; its calls, if any, run next.

    `seconds` is how long it took, and `thinking` how long of that the model reasoned; 0 where that is not known.
    """

    message: AssistantMessage
    usage: Usage
    seconds: float = field(default=0.0, compare=False)
    thinking: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class ReplyInterrupted:
    """What had come of a reply that was broken off. It never comes out of a turn, which is over by then."""

    text: str
    reasoning: str


@dataclass(frozen=True, slots=True)
class ReplyDiscarded:
    """The reply was of no use and is not part of the conversation; it was a step all the same, and is paid for."""

    reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class ModelNudged:
    """The model went in circles and was told so, in the result of a call."""

    reason: str


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
class CompactionStarted:
    """The model is asked for a note to go on from, which may take a minute; `reason` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class ContextCompacted:
    """The conversation gave way to a shorter one that says the same in brief.

    `before` and `after` are the lengths of the next request in tokens, `reason` says why it was done, `usage` is what the
    model's note took, and `transcript` names the file, as the model sees it, that holds all that was said before.
    """

    before: int
    after: int
    reason: str
    usage: Usage
    transcript: str


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The request failed and goes out again after `seconds`; what came of its reply is discarded.

    `attempt` tries have failed so far, and at most `attempts` are made.
    """

    reason: str
    seconds: float
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class RetryWaiting:
    """Comes once a second between RetryScheduled and the next request, which leaves when `left` is 0."""

    left: int
    attempt: int
    attempts: int


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The user chose another model; the request goes out again to that one, as do all that follow."""

    model: str


@dataclass(frozen=True, slots=True)
class KeyEntered:
    """The user gave another key; the request goes out again with it, as do all that follow."""


@dataclass(frozen=True, slots=True)
class HunksDecided:
    """What the user did with some of what was proposed: "applied" or "rejected". `hunks` are their ids, where known."""

    decision: str
    paths: tuple[str, ...]
    hunks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnUndone:
    """A turn was taken back, from the conversation and from the draft; `words` are what the user had said.

    `applied` are the files that the user has written of it, which stay as they are.
    """

    words: str
    applied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnRedone:
    """The turn that was undone last is back."""

    words: str


@dataclass(frozen=True, slots=True)
class UserWarned:
    """Something in the workspace that the user should know of, such as instructions that cannot be given to the model."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The last event of every turn. `usage` sums the turn; its cost is None when any reply's price is unknown."""

    reason: TurnEnd
    text: str
    usage: Usage
    steps: int


Event = (
    TurnStarted
    | MessageTaken
    | StepStarted
    | ReasoningStreamed
    | TextStreamed
    | ReplyFinished
    | ReplyInterrupted
    | ReplyDiscarded
    | ModelNudged
    | ToolCallStarted
    | ToolCallOutput
    | ToolCallFinished
    | DraftChanged
    | TestsFinished
    | CompactionStarted
    | ContextCompacted
    | RetryScheduled
    | RetryWaiting
    | ModelChosen
    | KeyEntered
    | HunksDecided
    | TurnUndone
    | TurnRedone
    | UserWarned
    | TurnFinished
)
