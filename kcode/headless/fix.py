"""`kcode fix`: one turn over an issue, the proof by tests, and the product."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.agent.turn import run_turn
from kcode.agent.workbench import open_workbench
from kcode.errors import KcodeError, ToolError, UsageError
from kcode.events import TestsFinished, TurnEnd, TurnFinished
from kcode.headless.baseline import run_baseline
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import write_event, write_line
from kcode.headless.person import ask_person
from kcode.headless.report import Reporter, describe_usage
from kcode.headless.stdin import read_piped
from kcode.headless.terminal import DIM, YELLOW, Terminal
from kcode.headless.waiting import answering
from kcode.options import TEST_SECONDS
from kcode.piped import mark_piped
from kcode.prompts import render_prompt

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.draft.files import Proposal
    from kcode.events import Event
    from kcode.options import ModelOptions, OutputOptions, PlaceOptions
    from kcode.questions import Ask
    from kcode.results import TestReport

EXIT_NO_CHANGE, EXIT_TESTS_FAIL, EXIT_LIMIT = 3, 4, 6


def fix_issue(issue: str, model: ModelOptions, place: PlaceOptions, output: OutputOptions) -> int:
    """Fix the issue and return the exit code of the design."""
    terminal = Terminal(os.environ, output.color)
    # The issue may itself come through the pipe; then it is worth waiting for.
    piped = read_piped(wait=not issue.strip())
    if not issue.strip() and not piped:
        raise UsageError('No issue was given. Say what is wrong: kcode fix "cents() rounds down", or pipe it in.')
    bench = open_workbench(model, place, "fix")
    text = f"{mark_piped(piped)}\n\n{issue.strip()}" if issue.strip() and piped else issue.strip() or str(piped).strip()
    prompt = render_prompt("fix", bench.own_prompts, issue=text)
    with asyncio.Runner() as runner:
        return _take_turns(bench, _Request(prompt, text), terminal, output, runner)


@dataclass(frozen=True, slots=True)
class _Request:
    """What one turn is asked for, and the user's own words in it."""

    prompt: str
    words: str


def _take_turns(
    bench: Workbench, request: _Request, terminal: Terminal, output: OutputOptions, runner: asyncio.Runner
) -> int:
    """One turn, and another one for each thing that the user wants to have different."""
    while True:
        try:
            outcome = run_until_signal(_fix(bench, request, terminal, output), runner)
        except (KcodeError, KeyboardInterrupt):
            if bench.view.is_open and bench.view.draft.generation:
                terminal.say("\nWhat was changed so far is kept: kcode diff shows it, kcode apply writes it.", YELLOW)
            raise
        # Not needed before the first request has left, and a good part of the start.
        from kcode.agent.reviewing import with_review  # noqa: PLC0415
        from kcode.headless.delivery import deliver  # noqa: PLC0415

        try:
            # Outside the event loop, where Ctrl-C at the question is an ordinary KeyboardInterrupt.
            delivered = deliver(bench, outcome, terminal, output)
            if isinstance(delivered, str):
                request = _Request(with_review(bench, delivered), delivered)
                continue
        except BaseException:
            run_until_signal(bench.aclose(), runner)
            raise
        run_until_signal(bench.aclose(), runner)
        return delivered


@dataclass(frozen=True, slots=True)
class Outcome:
    proposal: Proposal
    finished: TurnFinished
    tests: TestReport | None
    before: TestReport | None
    """The tests over the untouched workspace, where they fail over the draft and that was worth a run."""


async def _fix(bench: Workbench, request: _Request, terminal: Terminal, output: OutputOptions) -> Outcome:
    reporter = Reporter(terminal, quiet=output.quiet, waits_for=answering(bench))
    for line in () if output.quiet else bench.packed:
        terminal.say(line, DIM)
    for warning in bench.warnings:
        terminal.say(f"! {warning}", YELLOW)
    if output.json:
        write_line("thread.started", version=1, session=bench.session.id, workspace=str(bench.workspace.root))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bench)
        ask = None if output.json or output.quiet else ask_person(terminal, reporter)
        finished = await _carry_out(bench, request, reporter, ask, json=output.json)
        done = finished.reason is TurnEnd.DONE
        tests = await _prove(bench, terminal, output) if done else bench.fresh_tests()
        before = await run_baseline(bench, tests, terminal, output) if done and tests else None
        proposal = bench.propose()
        left_out = bench.left_out(proposal)
        # The user may want something different, which is another turn.
        stack.pop_all()
    for line in left_out:
        terminal.say(f"! {line}", YELLOW)
    if not output.quiet:
        terminal.say(describe_usage(finished.usage, finished.steps), DIM)
    return Outcome(proposal, finished, tests, before)


async def _carry_out(
    bench: Workbench, request: _Request, reporter: Reporter, ask: Ask | None, *, json: bool
) -> TurnFinished:
    """Run the turn, showing each event; the sandbox is tried and the draft opened while the first reply comes."""
    opening = asyncio.create_task(bench.view.ready())
    finished: TurnFinished | None = None

    def show(event: Event) -> None:
        reporter.report(event)
        bench.record(event)
        if json:
            write_event(event)

    try:
        reporter.wait()
        async with aclosing(run_turn(replace(bench.desk, ask=ask), request.prompt, request.words)) as events:
            async for event in events:
                show(event)
                if isinstance(event, TurnFinished):
                    finished = event
        await opening
    finally:
        reporter.close()
        opening.cancel()
    assert finished is not None  # a turn that does not raise ends with TurnFinished
    return finished


async def _prove(bench: Workbench, terminal: Terminal, output: OutputOptions) -> TestReport | None:
    """The result of the tests over the draft as it now is, run once more if the model did not; None without tests."""
    if not bench.propose():
        return None
    report = bench.fresh_tests()
    if report is None:
        if not output.quiet:
            terminal.say("Running the tests over the draft as it now is …", DIM)
        try:
            report = await bench.view.test_draft("", min(TEST_SECONDS, bench.settings.timeout or TEST_SECONDS))
        except ToolError:
            # No way to test this project was found: the design counts that as "there are no tests".
            return None
        if output.json:
            write_event(TestsFinished(report))
    return report
