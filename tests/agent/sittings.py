"""Sessions in a real repository, each sitting of them a workbench whose model is scripted."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.agent.reviewing import with_review
from kcode.agent.turn import run_turn
from kcode.agent.workbench import open_workbench
from kcode.messages import AssistantMessage, ToolCall
from kcode.options import ModelOptions, PlaceOptions
from tests.agent.turns import ScriptedProvider
from tests.repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from kcode.agent.place import Place
    from kcode.agent.workbench import Workbench
    from kcode.events import Event
    from kcode.messages import Message

FILES = {"a.py": "one = 1\n", "b.py": "two = 2\n", "notes.txt": "".join(f"line {number}\n" for number in range(20))}
KEY = "sk-sittings-0123456789abcdef"


def write(number: int, path: str, text: str) -> AssistantMessage:
    """A reply that writes a file that is not there yet."""
    return _calling(number, "write_file", {"path": path, "content": text})


def edit(number: int, path: str, old: str, new: str) -> AssistantMessage:
    """A reply that changes a text that stands in the file once."""
    return _calling(number, "edit_file", {"path": path, "edits": [{"old": old, "new": new}]})


def _calling(number: int, name: str, arguments: object) -> AssistantMessage:
    call = ToolCall(f"functions.{name}:{number}", name, json.dumps(arguments))
    return AssistantMessage("", f"I think of step {number}.", (call,))


@dataclass
class Sittings:
    """A repository and a home of its own; `sit` opens a session there, anew or again."""

    root: Path
    options: PlaceOptions
    model: ModelOptions

    @property
    def place(self) -> Place:
        return open_place(self.options)

    @contextmanager
    def sit(self, resume: str | None = None, command: str = "chat", model: str | None = None) -> Iterator[Sitting]:
        bench = open_workbench(replace(self.model, model=model), self.options, command, resume)
        with asyncio.Runner() as runner:
            try:
                yield Sitting(bench, runner)
            finally:
                runner.run(bench.aclose())

    def read(self, path: str) -> str:
        return (self.root / path).read_text()


@dataclass
class Sitting:
    """One open workbench."""

    bench: Workbench
    runner: asyncio.Runner

    @property
    def id(self) -> str:
        return self.bench.session.id

    @property
    def messages(self) -> list[Message]:
        return list(self.bench.desk.conversation.messages)

    def say(self, words: str, *replies: AssistantMessage) -> list[list[Message]]:
        """Take a turn as front ends do; returns the requests."""
        provider = ScriptedProvider([*replies, AssistantMessage(f"Done: {words}", "That was all.")])
        desk = replace(self.bench.desk, provider=provider)

        async def turn() -> list[Event]:
            events = []
            async with aclosing(run_turn(desk, with_review(self.bench, words), words)) as stream:
                async for event in stream:
                    self.bench.record(event)
                    events.append(event)
            return events

        self.runner.run(turn())
        return provider.seen

    def drafted(self) -> dict[str, str]:
        """What the draft proposes, each file as it would be."""
        changes = self.bench.propose().changes
        return {change.path: change.after.data.decode() if change.after else "-" for change in changes}


def begin_sittings(folder: Path, environment: pytest.MonkeyPatch) -> Sittings:
    environment.setenv("HOME", str(folder / "home"))
    environment.setenv("KCODE_API_KEY", KEY)
    for name in (
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "KCODE_MODEL",
        "KCODE_ENDPOINT",
        "KCODE_BASE_URL",
    ):
        environment.delenv(name, raising=False)
    root = new_repository(folder / "work", FILES)
    script = folder / "script.jsonl"
    script.write_text(json.dumps({"text": "never asked"}) + "\n")
    return Sittings(root, PlaceOptions(root), ModelOptions(replay=script))
