"""A session's history as sections for readers: what was said, thought, called and decided. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kcode.draft.outcome import find_told
from kcode.events import (
    ContextCompacted,
    HunksDecided,
    ModelChosen,
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    ReplyInterrupted,
    TestsFinished,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnRedone,
    TurnStarted,
    TurnUndone,
)
from kcode.messages import KCODE_NOTE, AssistantMessage, ToolCall, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kcode.events import Event
    from kcode.messages import Message
    from kcode.results import TestReport

Kind = Literal["user", "reasoning", "answer", "call", "note", "fact"]
_TITLE_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Block:
    """A text; with a `language` it is shown as it is, such as a diff or an output, else it is prose in Markdown."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One thing that happened. `title` is one line; what is `folded` is opened by the reader's wish alone."""

    kind: Kind
    title: str
    blocks: tuple[Block, ...] = ()
    folded: bool = False


def tell_story(history: Sequence[Message | Event]) -> list[Section]:
    """The sections of a history, in its order."""
    return list(_Teller(history).sections())


class _Teller:
    """Goes through a history once; what comes behind a message, as its time does, is looked up."""

    def __init__(self, history: Sequence[Message | Event]) -> None:
        self._history = history
        self._finished = {id(event.message): event for event in history if isinstance(event, ReplyFinished)}
        self._calls: dict[str, ToolCall] = {}
        self._words: str | None = None
        self._turns = 0

    def sections(self) -> Iterator[Section]:
        notes: list[Section] = []
        for place, entry in enumerate(self._history):
            if notes and not isinstance(entry, UserMessage):
                yield from notes
                notes = []
            match entry:
                case TurnStarted(_, words):
                    self._words = words
                    self._turns += 1
                case UserMessage(text) if text.startswith(KCODE_NOTE):
                    said = Block(text.removeprefix(KCODE_NOTE).strip(), "text")
                    notes.append(Section("note", "Note from kcode to the model", (said,), folded=True))
                case UserMessage(text):
                    yield from self._user(text)
                case AssistantMessage():
                    yield from self._reply(entry)
                case ToolMessage():
                    yield self._call(entry, self._history[place + 1] if place + 1 < len(self._history) else None)
                case _:
                    if (told := _tell(entry)) is not None:
                        yield told
        yield from notes

    def _user(self, text: str) -> Iterator[Section]:
        words, self._words = self._words, None
        told = find_told(text)
        said = words if words is not None else text.replace(told, "").strip() if told else text
        yield Section("user", f"You ({self._turns})" if words is not None else "You", (Block(said),))
        if told:
            yield Section("note", "What you decided", (Block(told, "text"),), folded=True)

    def _reply(self, message: AssistantMessage) -> Iterator[Section]:
        self._calls |= {call.id: call for call in message.tool_calls}
        finished = self._finished.get(id(message))
        if message.reasoning and message.reasoning.strip():
            seconds = f" ({finished.thinking:.0f} s)" if finished and finished.thinking else ""
            yield Section("reasoning", f"Reasoning{seconds}", (Block(message.reasoning.strip()),), folded=True)
        if message.text.strip():
            yield Section("answer", "kcode", (Block(message.text.strip()),))

    def _call(self, answer: ToolMessage, behind: Message | Event | None) -> Section:
        call = self._calls.get(answer.call_id) or ToolCall(answer.call_id, answer.name, "{}")
        title = title_of(call)
        if isinstance(behind, ToolCallFinished) and behind.call.id == answer.call_id:
            result = behind.result
            title += f": {_one_line(result.summary)}" if result.summary else ""
            title += f" ({behind.seconds:.1f} s)" if behind.seconds >= 0.1 else ""
            title = f"✗ {title}" if result.failed or not result.went_well else title
        else:
            title = f"✗ {title}: interrupted"
        blocks = (*_arguments(call), *([Block(answer.text, "text")] if answer.text.strip() else []))
        return Section("call", title, blocks, folded=True)


def title_of(call: ToolCall) -> str:
    """The call in one line: its name and its first argument."""
    arguments = _read(call.arguments)
    first = next(iter(arguments.values()), "")
    shown = _one_line(str(first)) if isinstance(first, str | int) else ""
    return f"{call.name} {shown}".rstrip()


def _tell(event: Message | Event) -> Section | None:
    match event:
        case TestsFinished(report):
            return Section("fact", _describe(report))
        case HunksDecided(decision, paths, hunks):
            which = f" ({', '.join(hunks)})" if hunks else ""
            return Section("fact", f"{decision.capitalize()}: {', '.join(paths)}{which}")
        case ContextCompacted(before, after):
            return Section("fact", f"The conversation was compacted, from {before:,} to {after:,} tokens")
        case ReplyDiscarded(reason):
            return Section("fact", f"A reply was dropped: {_one_line(reason)}")
        case ReplyInterrupted(text, reasoning):
            blocks = (Block(reasoning.strip()),) if reasoning.strip() and not text.strip() else ()
            return Section("fact", "The reply was interrupted", blocks, folded=bool(blocks))
        case ModelNudged(reason):
            return Section("fact", f"The model was told that it goes in circles: {_one_line(reason)}")
        case ModelChosen(model):
            return Section("fact", f"Another model was chosen: {model}")
        case TurnUndone(_, applied):
            kept = f"; what was applied stays applied: {', '.join(applied)}" if applied else ""
            return Section("fact", f"The turn was undone{kept}")
        case TurnRedone():
            return Section("fact", "The turn was redone")
        case TurnFinished(reason, text) if reason is not TurnEnd.DONE:
            return Section("fact", f"The turn ended: {_one_line(text) or reason.value}")
    return None


def _describe(report: TestReport) -> str:
    pairs = ((report.passed, "passed"), (report.failed, "failed"), (report.skipped, "skipped"))
    counts = ", ".join(f"{count} {word}" for count, word in pairs if count)
    names = f": {', '.join(failure.name for failure in report.failures)}" if report.failures else ""
    return f"The tests {'pass' if report.ok else 'fail'}{f', {counts}' if counts else ''}{names}"


def _arguments(call: ToolCall) -> list[Block]:
    """What was asked for: changes of a file as a diff, all else as JSON; nothing where the title says it all."""
    arguments = _read(call.arguments)
    if not arguments:
        return [Block(call.arguments, "text")] if call.arguments.strip() not in {"", "{}"} else []
    edits = arguments.get("edits")
    if isinstance(edits, list) and all(isinstance(edit, dict) for edit in edits):
        return [Block("\n".join(line for edit in edits for line in _diff(edit)), "diff")]
    if isinstance(content := arguments.get("content"), str):
        return [Block("\n".join(f"+{line}" for line in content.splitlines()), "diff")]
    if len(arguments) == 1 and title_of(call).endswith(str(next(iter(arguments.values())))):
        return []
    return [Block(json.dumps(arguments, ensure_ascii=False, indent=2), "json")]


def _diff(edit: Mapping[str, Any]) -> Iterator[str]:
    yield "@@"
    yield from (f"-{line}" for line in str(edit.get("old", "")).splitlines())
    yield from (f"+{line}" for line in str(edit.get("new", "")).splitlines())


def _read(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_WIDTH else f"{line[: _TITLE_WIDTH - 1]}…"
