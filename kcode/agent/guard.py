"""Whether the model goes in circles: decisions over what it did in a turn, without any effect of their own.

The same call with the same arguments, the same cycle of two or three calls, the same thought without a new call, and
calls to tools that do not exist: at 3, 5 and 8 times in a row the model is told so in the call's result, at 12 the user
decides. A reply with neither text nor calls is of no use and is dropped: the first of a row is asked for again as it
was, the second with a word of what was missing, and at the third the user decides. As long as each call is a new one to
a tool that exists, a turn is never nudged and never stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.messages import KCODE_NOTE
from kcode.tooling import Access

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kcode.messages import AssistantMessage, ToolCall
    from kcode.tooling import Tool

# At 3, 5, 8 and 12 in a row: the numbers that kimi-code settled on.
_STOP = 12
_URGENCY = {
    3: "Another time will hardly give more: use what you have, or do something else.",
    5: "Do not do it again. Say to yourself what you still need and where else it may be found; then make another call, "
    "or give your answer.",
    8: f"After {_STOP} times this turn is stopped. Do something else now, or give your final answer and say in it what "
    "you could not find out.",
}
_PERIODS = (1, 2, 3)
_USELESS_REPLIES = 3
_SHOWN = 80

REPETITION = "repetition"
"""The `finish` of a reply that was cut off because it only repeated itself."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """A sentence for the model, to be added to the result of the call at `place`; `reason` tells the user of it."""

    place: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to make of a reply's calls.

    `shares` maps the place of a call to that of the earlier one that it repeats, whose result is its result too.
    `stop` says what the model keeps doing when it has done it too often; then no call should run.
    """

    shares: Mapping[int, int] = field(default_factory=dict)
    nudge: Nudge | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a reply is of no use: `reason` for the user, `lack` for the model, after "your last reply".

    Where the same request would only cost the same again, the model is told `at_once`.
    """

    reason: str
    lack: str
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """How to go on after a reply of no use: with another request, before it `message` to the model, or not at all."""

    message: str | None = None
    stop: str | None = None


_EMPTY = Fault("The model's reply was empty.", "was empty")
_THOUGHTS = Fault("The model's reply held thoughts alone.", "held thoughts alone, neither a call nor an answer")
_OUT_OF_ROOM = Fault(
    "The model was still thinking when its reply reached the output limit.",
    "reached the output limit while you were still thinking",
    at_once=True,
)
_UNREADABLE = Fault("The model's reply held a call that cannot be read.", "held a call that cannot be read")
_REPEATED = Fault("The model repeated the same passage over and over.", "repeated the same passage over and over")


def find_fault(message: AssistantMessage, finish: str) -> Fault | None:
    """Why a whole reply is of no use; None for one with an answer or calls."""
    if finish == REPETITION:
        return _REPEATED
    if message.tool_calls:
        return None
    if finish == "malformed":
        return _UNREADABLE
    if message.text.strip():
        return None
    if not (message.reasoning or "").strip():
        return _EMPTY
    return _OUT_OF_ROOM if finish == "length" else _THOUGHTS


@dataclass(frozen=True, slots=True)
class _Habit:
    """What the model did so many times in a row, in words that fit after "the model" and after "you"."""

    times: int
    what: str
    place: int = 0


class Guard:
    """One turn's memory of what the model did; each reply is shown to it once, before its calls run."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self.reset()

    def reset(self) -> None:
        """Forget all that was counted: the user lets the model go on."""
        self._last: deque[tuple[bytes, str]] = deque(maxlen=max(_PERIODS))
        self._streaks = dict.fromkeys(_PERIODS, 0)
        self._made: set[bytes] = set()
        self._thought, self._same_thoughts = "", 0
        self._unknown = 0
        self._useless, self._told = 0, False

    def hear(self, message: AssistantMessage) -> Advice:
        """Count a reply that is of use."""
        self._useless, self._told = 0, False
        calls = message.tool_calls
        if not calls:
            return Advice()
        prints = [fingerprint(call) for call in calls]
        shares = find_shared(prints, [self._only_reads(call) for call in calls])
        single = [(place, calls[place], prints[place]) for place in range(len(calls)) if place not in shares]
        habits = [self._circle(*each) for each in single]
        habits += [self._unknown_tools(calls), self._same_thought(message.reasoning or "", prints)]
        return _advise(shares, (habit for habit in habits if habit))

    def drop(self, fault: Fault) -> Dropped:
        """Count a reply of no use, which does not become part of the conversation."""
        self._useless += 1
        if self._useless >= _USELESS_REPLIES:
            return Dropped(stop=f"{fault.reason} It was the {_USELESS_REPLIES}rd reply in a row that is of no use.")
        if self._told or (self._useless == 1 and not fault.at_once):
            return Dropped()
        self._told = True
        return Dropped(
            f"{KCODE_NOTE} your last reply {fault.lack}, and was dropped. "
            "Think briefly, then make the next call, or give your answer as text."
        )

    def _only_reads(self, call: ToolCall) -> bool:
        tool = self._tools.get(call.name)
        return tool is None or tool.access is Access.READ

    def _circle(self, place: int, call: ToolCall, fresh: bytes) -> _Habit | None:
        """The shortest cycle of calls that this call ends, and how often the model went through it in a row."""
        for period in _PERIODS:
            again = len(self._last) >= period and self._last[-period][0] == fresh
            self._streaks[period] = self._streaks[period] + 1 if again else 0
        self._last.append((fresh, _shown(call)))
        for period in _PERIODS:
            rounds, rest = divmod(self._streaks[period], period)
            cycle = list(self._last)[-period:]
            # A cycle of one call only was found as such already.
            if rest or not rounds or (period > 1 and len(set(cycle)) == 1):
                continue
            did = "made the same call" if period == 1 else f"went through the same {period} calls"
            listed = ", ".join(shown for _, shown in cycle)
            return _Habit(rounds + 1, f"{did} {rounds + 1} times in a row: {listed}", place)
        return None

    def _unknown_tools(self, calls: Sequence[ToolCall]) -> _Habit | None:
        # By replies, not by calls: only after a reply does the model learn that the tools do not exist.
        self._unknown = 0 if any(call.name in self._tools for call in calls) else self._unknown + 1
        if not self._unknown:
            return None
        return _Habit(
            self._unknown, f"called tools that do not exist in {self._unknown} replies in a row: {_names(calls)}"
        )

    def _same_thought(self, reasoning: str, prints: Iterable[bytes]) -> _Habit | None:
        # "Let me go on" before each of many new calls is a manner of speaking, not a circle.
        is_new = not self._made.issuperset(prints)
        self._made.update(prints)
        thought = " ".join(reasoning.split())
        again = bool(thought) and thought == self._thought and not is_new
        self._same_thoughts = self._same_thoughts + 1 if again else 1
        self._thought = thought
        times = self._same_thoughts
        return _Habit(times, f"had the same thought {times} times in a row, without any new call") if again else None


def _advise(shares: Mapping[int, int], habits: Iterable[_Habit]) -> Advice:
    worst = max((h for h in habits if h.times in _URGENCY or h.times >= _STOP), key=lambda h: h.times, default=None)
    if worst is None:
        return Advice(shares)
    if worst.times >= _STOP:
        return Advice(shares, stop=f"The model {worst.what}.")
    text = f"Note from kcode: you {worst.what}. {_URGENCY[worst.times]}"
    return Advice(shares, Nudge(worst.place, f"The model {worst.what}; it was told so.", text))


def fingerprint(call: ToolCall) -> bytes:
    """The same for calls of one tool whose arguments are the same JSON value; text that is no JSON counts as it stands."""
    try:
        value = json.loads(call.arguments, strict=False) if call.arguments.strip() else None
        arguments = json.dumps({} if value is None else value, sort_keys=True)
    except (ValueError, RecursionError):
        arguments = call.arguments
    return hashlib.sha256(f"{call.name}\0{arguments}".encode("utf-8", "surrogatepass")).digest()


def find_shared(prints: Sequence[bytes], reads: Sequence[bool]) -> dict[int, int]:
    """For each call that repeats an earlier one of the same reply the earlier one's place.

    Not beyond a call that does more than read: after it a read may give something else.
    """
    first: dict[bytes, int] = {}
    shares: dict[int, int] = {}
    for place, (mark, only_reads) in enumerate(zip(prints, reads, strict=True)):
        if mark in first:
            shares[place] = first[mark]
            continue
        if not only_reads:
            first.clear()
        first[mark] = place
    return shares


def _names(calls: Sequence[ToolCall]) -> str:
    return _cut(", ".join(dict.fromkeys(call.name or "(no name)" for call in calls)))


def _shown(call: ToolCall) -> str:
    return _cut(f"{call.name} {call.arguments[: 4 * _SHOWN]}")


def _cut(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _SHOWN else folded[: _SHOWN - 1] + "…"
