"""The plain conversation: a line in, a turn out, and after each turn the diff and the question."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.agent.compaction import Need, compact
from kcode.agent.place import open_place
from kcode.agent.reviewing import review_of, with_review
from kcode.agent.sessions import choose_session
from kcode.agent.turn import run_turn
from kcode.agent.workbench import open_workbench
from kcode.draft.files import Proposal
from kcode.draft.journal import plan_redo, plan_undo
from kcode.draft.rebase import is_part_of
from kcode.errors import KcodeError, ToolError
from kcode.events import TurnFinished
from kcode.headless.context import describe_account
from kcode.headless.interrupts import run_until_signal
from kcode.headless.person import ask_person
from kcode.headless.product import print_patch
from kcode.headless.report import Reporter, describe_tests, describe_usage
from kcode.headless.review import ask_what_to_do, write_all
from kcode.headless.stdin import read_piped
from kcode.headless.terminal import BOLD, DIM, RED, YELLOW, Terminal
from kcode.headless.undoing import take_back
from kcode.headless.waiting import answering
from kcode.messages import AssistantMessage
from kcode.options import TEST_SECONDS, OutputOptions
from kcode.sanitize import sanitize_names
from kcode.session.history import read_history
from kcode.session.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.agent.workbench import Workbench
    from kcode.draft.reversal import Reversal
    from kcode.options import ColorChoice, ModelOptions, PlaceOptions
    from kcode.session.store import Session
    from kcode.workspace import Workspace

HELP = """\
/diff    show the pending proposal          /apply   write it to your files
/undo    take back what was last applied    /redo    apply it again
/test    run the tests over the draft       /context what fills the window
/compact [WHAT TO KEEP]  go on from a note  /quit    leave (also Ctrl-D)
Anything else goes to the model. Ctrl-C interrupts it."""


def converse(
    prompt: str, model: ModelOptions, place: PlaceOptions, color: ColorChoice, resume: str | None = None
) -> int:
    """Talk until the user leaves; the draft stays for `kcode diff` and `kcode apply`.

    `resume` says which session to go on with, as `choose_session` takes it; None begins a new one.
    """
    terminal = Terminal(os.environ, color)
    if sys.stdin is None or not sys.stdin.isatty():
        # A script that pipes its lines in is one long first message, and there is nobody to ask.
        piped = read_piped(wait=not prompt)
        prompt = "\n\n".join(part for part in (prompt, piped) if part)
        if not prompt:
            terminal.say('kcode talks at a terminal. In a pipe, use: kcode ask "…" or kcode fix "…"', YELLOW)
            return 2
    session = choose_session(open_place(place), resume) if resume is not None else None
    bench = open_workbench(model, place, "chat", session.id if session else None)
    terminal.say(
        f"kcode in {bench.workspace.root}, {bench.provider.model} at {bench.provider.endpoint.title}. /help lists the commands.",
        DIM,
    )
    turns = _tell_session(session, terminal) if session else 0
    for line in bench.packed:
        terminal.say(line, DIM)
    for warning in bench.warnings:
        terminal.say(f"! {warning}", YELLOW)
    with asyncio.Runner() as runner:
        try:
            talk = PlainConversation(bench, terminal, runner, turns)
            talk.run(prompt)
        finally:
            runner.run(bench.aclose())
    return 0


def _tell_session(session: Session, terminal: Terminal) -> int:
    """Say where the conversation goes on; returns how many turns it has had."""
    summary = summarize(session)
    answers = [one.text for one in read_history(session) if isinstance(one, AssistantMessage) and one.text.strip()]
    terminal.say(f"Going on with {session.id}: {summary.title}", BOLD)
    if answers:
        terminal.say(answers[-1].strip(), DIM)
    if files := summary.pending_files:
        terminal.say(
            f"{files} {'file is' if files == 1 else 'files are'} pending: /diff shows what is proposed.", YELLOW
        )
    return summary.turns


class PlainConversation:
    """The loop over lines. One runner for all turns, since the connection to the endpoint belongs to its event loop."""

    def __init__(self, bench: Workbench, terminal: Terminal, runner: asyncio.Runner, turns: int = 0) -> None:
        self._bench = bench
        self._terminal = terminal
        self._runner = runner
        self._turns = turns
        self._broke_off = False
        self._shown = Proposal()
        self._commands: dict[str, Callable[[], None]] = {
            "/help": lambda: terminal.say(HELP),
            "/diff": self._show,
            "/apply": lambda: self._apply(ask=False),
            "/undo": lambda: self._step_back(plan_undo),
            "/redo": lambda: self._step_back(plan_redo),
            "/test": self._test,
            "/context": self._show_context,
        }

    def run(self, prompt: str) -> None:
        """Take turns until the user leaves; without a terminal there is one turn, for the prompt alone."""
        if prompt:
            self._take_turn(prompt)
        while sys.stdin is not None and sys.stdin.isatty():
            line = self._read()
            if line is None or line == "/quit":
                break
            try:
                self._obey(line)
            except KcodeError as error:
                self._terminal.say(f"! {error}", RED)
            except KeyboardInterrupt:
                self._terminal.say()
        self._tell_total()

    def _obey(self, line: str) -> None:
        if not line:
            return
        if not line.startswith("/"):
            self._take_turn(line)
        elif line in self._commands:
            self._commands[line]()
        elif (name := line.split(maxsplit=1)[0]) == "/compact":
            self._compact(line.removeprefix(name).strip())
        elif name in self._commands:
            self._terminal.say(
                f"{name} takes no words here; in a shell kcode diff, apply, undo, redo and test do.", YELLOW
            )
        else:
            self._terminal.say(f"There is no command {name}.\n{HELP}", YELLOW)

    def _read(self) -> str | None:
        """One message; a line that ends with a backslash goes on in the next."""
        lines: list[str] = []
        while True:
            self._terminal.say("… " if lines else "\n> ", BOLD, end="")
            try:
                line = sys.stdin.readline()
            except KeyboardInterrupt:
                self._terminal.say()
                lines = []
                continue
            if not line:
                return None
            lines.append(line.rstrip("\n").removesuffix("\\"))
            if not line.endswith("\\\n"):
                return "\n".join(lines).strip()

    def _take_turn(self, prompt: str) -> None:
        self._turns += 1
        try:
            finished = run_until_signal(self._turn(with_review(self._bench, prompt), prompt), self._runner)
        except KeyboardInterrupt:
            self._terminal.say("\nInterrupted. What was done so far is in the draft.", YELLOW)
            self._broke_off = True
            self._tell_total()
            return
        except KcodeError as error:
            self._terminal.say(f"! {error}", RED)
            self._broke_off = True
            self._tell_total()
            return
        self._terminal.say(describe_usage(finished.usage, finished.steps), DIM)
        self._tell_total()
        if finished.reason.value != "done":
            self._terminal.say(finished.text, YELLOW)
        proposal = self._bench.propose()
        for line in self._bench.left_out(proposal):
            self._terminal.say(f"! {line}", YELLOW)
        if proposal:
            self._apply(ask=True)

    def _tell_total(self) -> None:
        """What the session took so far, unless that is what its only turn has just told."""
        spent = self._bench.spent
        if spent.steps and (self._turns > 1 or self._broke_off):
            turns = f"{self._turns} {'turn' if self._turns == 1 else 'turns'}"
            left_out = "; replies that broke off are not counted" if self._broke_off else ""
            self._terminal.say(f"session: {turns}, {describe_usage(spent.usage, spent.steps)}{left_out}", DIM)

    async def _turn(self, prompt: str, words: str) -> TurnFinished:
        reporter = Reporter(self._terminal, waits_for=answering(self._bench))
        desk = replace(self._bench.desk, ask=ask_person(self._terminal, reporter))
        finished: TurnFinished | None = None
        try:
            async with aclosing(run_turn(desk, prompt, words)) as events:
                async for event in events:
                    reporter.report(event)
                    self._bench.record(event)
                    if isinstance(event, TurnFinished):
                        finished = event
        finally:
            reporter.close()
        assert finished is not None  # a turn that does not raise ends with TurnFinished
        return finished

    def _show_context(self) -> None:
        place = self._bench.provider.endpoint.title
        self._terminal.say("\n".join(describe_account(self._bench.account(), "The next request", place)))

    def _compact(self, focus: str) -> None:
        async def run() -> bool:
            reporter = Reporter(self._terminal, waits_for=answering(self._bench))
            done = False
            async with aclosing(compact(self._bench.desk, Need("you asked for it", focus=focus))) as events:
                async for event in events:
                    reporter.report(event)
                    self._bench.record(event)
                    done = True
            return done

        try:
            if not run_until_signal(run(), self._runner):
                self._terminal.say("The model has said nothing since the last time.")
        except KeyboardInterrupt:
            self._terminal.say("\nInterrupted. The conversation stays as it was.", YELLOW)

    def _show(self) -> None:
        proposal = self._shown = self._bench.propose()
        if proposal:
            print_patch(proposal, self._terminal, OutputOptions(color=self._terminal.color))
        else:
            self._terminal.say("Nothing is pending.")

    def _apply(self, *, ask: bool) -> None:
        proposal = self._bench.propose()
        if not proposal:
            self._terminal.say("Nothing is pending.")
            return
        if not ask and is_part_of(proposal, self._shown):
            write_all(self._bench, review_of(self._bench), proposal, self._terminal)
            return
        self._show()
        try:
            answer = ask_what_to_do(self._bench, proposal, self._terminal)
        except KeyboardInterrupt:
            return
        if isinstance(answer, str):
            self._take_turn(answer)

    def _step_back(self, plan: Callable[[Workspace, Path], Reversal]) -> None:
        workspace, journal = self._bench.workspace, self._bench.place.journal
        operation = take_back(self._terminal, workspace, journal, plan(workspace, journal))
        if operation is not None:
            self._terminal.say(f"Done: {sanitize_names(operation.paths)}.")

    def _test(self) -> None:
        async def run() -> str:
            await self._bench.view.ready()
            try:
                return describe_tests(await self._bench.view.run_tests("", TEST_SECONDS))
            except ToolError as error:
                return str(error)

        self._terminal.say(run_until_signal(run(), self._runner))
