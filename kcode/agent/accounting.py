"""What fills the window and what it costs, as values: layer by layer, so far, and for the next request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kcode.agent.compaction import shortest_epoch
from kcode.agent.conversation import Conversation
from kcode.agent.epoch import is_users_own
from kcode.agent.length import RequestLength
from kcode.agent.tally import Tally
from kcode.context.budget import budget_for, triggers_above
from kcode.context.tokens import estimate_tokens
from kcode.events import ContextCompacted, ReplyDiscarded, ReplyFinished
from kcode.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage
from kcode.pricing import cost_of_input
from kcode.session.records import Epoch, Forked, Paid, mend_history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kcode.events import Event
    from kcode.messages import Message, Usage
    from kcode.pricing import Billing
    from kcode.session.store import Past

    Count = Callable[[str], int]

# Where the parts of a system message begin, each to the start of the next.
_INSTRUCTIONS = re.compile(r"^# Instructions for this project", re.MULTILINE)
_ENVIRONMENT = re.compile(r"^# Environment", re.MULTILINE)
_REPOSITORY = re.compile(r"^# The repository \(a snapshot", re.MULTILINE)
LAYERS = (
    *("system prompt", "tools", "instructions", "environment", "repository", "your messages", "kcode's notes"),
    *("reasoning", "text", "tool calls", "tool results"),
)
# So many of a session's last replies tell well enough how the endpoint counts.
_REPLIES_MEASURED = 100
# Endpoints cache a prompt in blocks of so many tokens.
_CACHE_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Layer:
    """Tokens of one kind in the next request; exact only where the model's own vocabulary counted them."""

    name: str
    tokens: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next request: tokens that the endpoint may have in its cache, the others, and what they cost in US dollars.

    The cost is None where no price is known, and is that of the prompt alone.
    """

    cached: int
    fresh: int
    cost: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """A conversation in tokens and money.

    `tokens` is the length of the next request, exact where the endpoint or the vocabulary has counted all of it. `last` is what the last
    reply took, `spent` all of them together. `soft` and `hard` are the lengths at which the conversation is compacted.
    """

    model: str
    window: int
    room: int
    layers: tuple[Layer, ...]
    tokens: int
    is_exact: bool
    last: Usage | None
    spent: Tally
    next: Forecast
    soft: int
    hard: int
    compactions: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was paid in a conversation: all replies together, the last one alone, and how often it was compacted."""

    spent: Tally = field(default_factory=Tally)
    last: Usage | None = None
    compactions: int = 0
    saw_a_cache: bool = False

    def with_paid(self, usage: Usage, kind: Literal["reply", "dropped", "note"]) -> Ledger:
        """The ledger with one more reply; a note is one that led to a compaction."""
        is_note = kind == "note"
        spent = self.spent.with_usage(usage) if is_note else self.spent.with_reply(usage)
        return Ledger(spent, usage, self.compactions + is_note, self.saw_a_cache or usage.cached_tokens > 0)

    def with_event(self, event: Event) -> Ledger:
        """The ledger after the event."""
        match event:
            case ReplyFinished(usage=usage):
                return self.with_paid(usage, "reply")
            case ReplyDiscarded(usage=usage):
                return self.with_paid(usage, "dropped")
            case ContextCompacted(usage=usage):
                return self.with_paid(usage, "note")
            case _:
                return self


def replay(past: Past, tools: str, load_counter: Callable[[], Count | None] | None) -> tuple[Conversation, Ledger]:
    """The conversation and the ledger as a process has them that goes on with what the log holds."""
    length = RequestLength(tools, load_counter)
    messages, ledger = replay_into(length, past)
    return Conversation(mend_history(messages), length=length), ledger


def replay_into(length: RequestLength, past: Past) -> tuple[list[Message], Ledger]:
    """The messages of the last epoch as the log holds them, and what was paid; the length learns what was counted.

    A log that was torn in the middle has messages that no endpoint counted so.
    """
    ledger = Ledger()
    messages: list[Message] = []
    left = sum(isinstance(entry, Paid) and entry.kind == "reply" for entry in past.entries)
    for entry in past.entries:
        if isinstance(entry, Paid):
            ledger = ledger.with_paid(entry.usage, entry.kind)
            reply = messages[-1] if messages else None
            if entry.kind == "reply" and isinstance(reply, AssistantMessage):
                if left > _REPLIES_MEASURED:
                    length.skip(len(messages) - 1, reply, entry.usage)
                else:
                    length.learn(messages[:-1], reply, entry.usage)
            left -= entry.kind == "reply"
        elif isinstance(entry, Forked):
            ledger = Ledger(saw_a_cache=ledger.saw_a_cache)
        elif isinstance(entry, Epoch):
            messages = list(entry.messages)
            length.restart()
        else:
            messages.append(entry)
    if mend_history(messages)[: len(messages)] != messages:
        length.restart()
    return messages, ledger


def account_for(
    conversation: Conversation,
    ledger: Ledger,
    *,
    model: str,
    window: int,
    billing: Billing,
    tools: str,
    count: Count | None = None,
    by_layers: bool = True,
) -> Account:
    """The account of a conversation at this moment; `count` counts as the model does, where that can be had.

    Not `by_layers` it has none, and is there at once, however long the conversation is.
    """
    budget = budget_for(window)
    about, known = conversation.tokens(), conversation.known_tokens
    tokens = conversation.tokens(near=about) if count else about
    layers = count_layers(conversation.messages, tools, count or estimate_tokens) if by_layers else {}
    in_all = sum(layers.values())
    ratio = 1.0 if count else tokens / in_all if in_all else 1.0
    triggers = triggers_above(shortest_epoch(conversation, budget), budget)
    may_hit = ledger.saw_a_cache or ledger.spent.steps < 2
    cached = min(known, tokens) // _CACHE_BLOCK * _CACHE_BLOCK if may_hit else 0
    cost = None if billing.price is None else cost_of_input(cached, tokens - cached, billing.price)
    return Account(
        model=model,
        window=window,
        room=budget.room,
        layers=tuple(Layer(name, round(size * ratio), count is not None) for name, size in layers.items()),
        tokens=tokens,
        is_exact=count is not None or 0 < known == tokens,
        last=ledger.last,
        spent=ledger.spent,
        next=Forecast(cached, tokens - cached, cost),
        soft=triggers.soft,
        hard=triggers.hard,
        compactions=ledger.compactions,
    )


def count_layers(messages: Iterable[Message], tools: str, count: Count) -> dict[str, int]:
    """The tokens of each layer, in the order of LAYERS, by this count."""
    found = dict.fromkeys(LAYERS, 0)
    if tools:
        found["tools"] = count(tools)
    for message in messages:
        match message:
            case SystemMessage(text):
                for name, part in split_system(text):
                    found[name] += count(part)
            case UserMessage(text):
                found["your messages" if is_users_own(message) else "kcode's notes"] += count(text)
            case ToolMessage(_, name, text):
                found["tool results"] += count(name) + count(text)
            case AssistantMessage(text, reasoning, calls):
                found["reasoning"] += count(reasoning) if reasoning else 0
                found["text"] += count(text) if text else 0
                found["tool calls"] += sum(count(call.name) + count(call.arguments) for call in calls)
    return found


def split_system(text: str) -> list[tuple[str, str]]:
    """The parts of a system message by the names of their layers, which together are the whole text."""
    # The text of a repository may hold any heading, and stands behind those that kcode wrote.
    repository = [match.start() for match in _REPOSITORY.finditer(text)][:1]
    before = text[: repository[0]] if repository else text
    instructions = [match.start() for match in _INSTRUCTIONS.finditer(before)][:1]
    # A file of instructions may hold the same heading; what kcode wrote stands behind it.
    environment = [match.start() for match in _ENVIRONMENT.finditer(before)][-1:]
    starts = [(0, "system prompt"), *((at, "instructions") for at in instructions)]
    starts += [*((at, "environment") for at in environment), *((at, "repository") for at in repository)]
    starts.sort()
    ends = [at for at, _ in starts[1:]] + [len(text)]
    return [(name, text[at:end]) for (at, name), end in zip(starts, ends, strict=True) if at < end]
