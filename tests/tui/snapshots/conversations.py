"""The conversation in its states."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from kcode.agent.place import open_place
from kcode.commands.table import COMMANDS
from kcode.errors import KcodeError
from kcode.events import (
    ReasoningStreamed,
    ReplyFinished,
    StepStarted,
    TestsFinished,
    TextStreamed,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnd,
    TurnFinished,
    TurnStarted,
)
from kcode.messages import AssistantMessage, ToolCall, Usage
from kcode.options import ModelOptions
from kcode.questions import ChooseModel
from kcode.results import CommandResult, TestFailure, TestReport, ToolResult
from kcode.tui.app import KcodeApp, Start
from kcode.tui.news import Counted, DraftSeen, Opened, Rested
from kcode.tui.preferences import Preferences
from kcode.tui.talk import Talk
from kcode.tui.widgets.rowlist import RowList
from tests.tui.happenings import TEXTS, Clock
from tests.tui.snapshots.project import (
    ANSWER,
    EDIT_MONEY,
    EDIT_TEST,
    ISSUE,
    MONEY,
    PASSED,
    PASSED_RUN,
    THOUGHT,
    account,
    propose_in_demo,
    sources,
)
from tests.tui.snapshots.staging import BROAD, DEADLINE, scene, see, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Future
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from textual.pilot import Pilot

    from kcode.questions import Question
    from kcode.tui.news import News

    Opening = Callable[["Path"], AbstractAsyncContextManager["Pilot[Any]"]]


class QuietApp(KcodeApp):
    """The program without a session behind it: what happens is told to its screen."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.is_over = threading.Event()
        self.proposed = propose_in_demo(folder)
        place = self.proposed.place
        super().__init__(Start(ModelOptions(), place, open_place(place)), Preferences(), TEXTS, self.clock)

    def begin(self, resume: str | None, prompt: str = "") -> None:
        assert not resume
        assert not prompt

        def refuse() -> object:
            self.is_over.wait(DEADLINE)
            raise KcodeError("There is no session.")

        self._talk = Talk(refuse, lambda: None, _never)  # type: ignore[arg-type] # it never opens one
        self._talk.start()

    def tell(self, *news: News, seconds: float = 0.0) -> None:
        """Have this happen, and then that much time pass."""
        self.conversation.receive(news)
        self.clock.now += seconds


def _never(_: Question) -> Future[str | None]:
    raise AssertionError("nothing asks")


@asynccontextmanager
async def conversing(folder: Path) -> AsyncIterator[tuple[QuietApp, Pilot[Any]]]:
    app = QuietApp(folder)
    async with app.run_test(size=BROAD) as pilot:
        await until(lambda: app._talk is not None, pilot)
        app.tell(Opened("Moonshot", "kimi-k2-thinking", "main", "s", ()), Counted(account(2_700, 0, 0.0), True, True))
        await until(lambda: len(app.conversation.source.commands()) > len(COMMANDS), pilot)
        try:
            yield app, pilot
        finally:
            app.is_over.set()
            await asyncio.to_thread(app.talk.close, DEADLINE)


def ask(app: QuietApp) -> None:
    """The user asks, and the model finds a failing test and the place that is wrong."""
    app.conversation.transcript.add_user(ISSUE)
    app.tell(TurnStarted(ISSUE), StepStarted(1), seconds=1.2)
    thought = "The instalments do not add up. I want to see whether a test shows it, and which."
    run = ToolCall("functions.run_tests:0", "run_tests", "{}")
    _reply(app, AssistantMessage("", thought, (run,)), Usage(2_710, 52, 0, 0.0017, 31, True))
    name = "tests.test_instalments.Plan.test_instalments_add_up_to_the_invoice"
    report = TestReport("python -m unittest", CommandResult(1, ""), 12, 1, 0, (TestFailure(name, "AssertionError: 9999 != 10000"),))  # fmt: skip
    app.tell(ToolCallStarted(run), seconds=0.4)
    app.tell(
        ToolCallFinished(run, ToolResult("…", "1 failed, 12 passed", tests=report, went_well=False), 0.4),
        TestsFinished(report),
    )
    read = ToolCall("functions.read_file:1", "read_file", '{"path": "billing/money.py"}')
    search = ToolCall("functions.search:2", "search", '{"pattern": "def plan|share_out", "glob": "*.py"}')
    app.tell(StepStarted(2), seconds=0.9)
    _reply(app, AssistantMessage("", "So the plan divides the total wrongly.", (search, read)), Usage(3_120, 74, 2_710, 0.001, 12, True))  # fmt: skip
    for call, summary in ((search, "4 matches in 3 files"), (read, "1-32")):
        app.tell(ToolCallStarted(call), ToolCallFinished(call, ToolResult("…", summary), 0.01))


def _reply(app: QuietApp, message: AssistantMessage, usage: Usage) -> None:
    app.tell(ReasoningStreamed(message.reasoning or ""), seconds=2.1)
    if message.text:
        app.tell(TextStreamed(message.text), seconds=1.4)
    app.tell(ReplyFinished(message, usage, 2.4, 2.1), Counted(account(9_800, 8_448, 0.0094), True, True))


def edit(app: QuietApp) -> None:
    """The model edits two files."""
    app.tell(StepStarted(3), seconds=0.8)
    edits = [{"old": old, "new": new} for old, new in MONEY]

    money = ToolCall(EDIT_MONEY.id, "edit_file", json.dumps({"path": "billing/money.py", "edits": edits}))
    _reply(app, AssistantMessage("", THOUGHT, (money, EDIT_TEST)), Usage(4_290, 361, 3_380, 0.0021, 96, True))
    for call in (money, EDIT_TEST):
        app.tell(ToolCallStarted(call), ToolCallFinished(call, ToolResult("ok", "edited"), 0.02))


@scene
async def conversation_new(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with conversing(folder) as (_, pilot):
        yield pilot


@scene
async def conversation_running(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with conversing(folder) as (app, pilot):
        ask(app)
        edit(app)
        app.tell(DraftSeen(app.proposed.review().look(), None), StepStarted(4), seconds=0.6)
        thought = "Now all tests, not only the one that failed: others may rest on share_out, and the plan of a credit "
        app.tell(ReasoningStreamed(thought), seconds=1.5)
        app.tell(ReasoningStreamed("note divides a negative amount."))
        app.conversation.say("and say it in the notes, please")
        await see(pilot, "negative amount")
        yield pilot


@scene
async def conversation_finished(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with conversing(folder) as (app, pilot):
        ask(app)
        edit(app)
        run = ToolCall("functions.run_tests:5", "run_tests", "{}")
        _reply(app, AssistantMessage("", "Now all tests.", (run,)), Usage(4_930, 41, 4_290, 0.0008, 5, True))
        app.tell(ToolCallStarted(run), ToolCallFinished(run, ToolResult("…", "14 passed", tests=PASSED), 0.4))
        app.tell(TestsFinished(PASSED))
        app.tell(DraftSeen(app.proposed.review().look(), PASSED_RUN), StepStarted(5))
        _reply(app, AssistantMessage(ANSWER, "All pass.", ()), Usage(5_080, 187, 4_930, 0.0008, 4, True))
        app.tell(TurnFinished(TurnEnd.DONE, ANSWER, Usage(20_130, 715, 15_310, 0.0064, 148, True), 5))
        app.tell(Counted(account(24_600, 23_040, 0.0421), True, True), Rested())
        await see(pilot, "says so too")
        yield pilot


@scene
async def conversation_asked(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with conversing(folder) as (app, pilot):
        ask(app)
        app.tell(StepStarted(3), seconds=2.0)
        question = ChooseModel(
            "The model kimi-k2-thinking is not served at Moonshot any more. Which one is to answer?",
            ("kimi-k2.5", "kimi-k2-thinking-turbo", "kimi-k3"),
        )
        asked = asyncio.create_task(app.conversation.ask(question))
        await see(pilot, "kimi-k2-thinking-turbo")
        await until(lambda: isinstance(app.focused, RowList), pilot)
        yield pilot
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked


@scene
async def conversation_completing(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with conversing(folder) as (app, pilot):
        app.conversation.source.know_files(sources())
        await pilot.press(*"look at @mon")
        await see(pilot, "tests/test_money.py")
        yield pilot


@scene
async def conversation_commands(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with conversing(folder) as (_, pilot):
        await pilot.press("slash")
        await see(pilot, "/review")
        yield pilot
