"""`kcode fix`: one turn over an issue, the proof by tests, and the product."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.agent.reviewing import review_of
from kcode.agent.turn import run_turn
from kcode.agent.workbench import open_workbench
from kcode.errors import KcodeError, ToolError, UsageError
from kcode.events import TestsFinished, TurnEnd, TurnFinished
from kcode.headless.baseline import describe_before, run_baseline
from kcode.headless.hunklist import proposed_fields
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import tests_fields, write_event, write_line
from kcode.headless.person import ask_person
from kcode.headless.product import decide_and_apply, describe_size, print_patch, tell_root
from kcode.headless.report import Reporter, describe_tests, describe_usage
from kcode.headless.review import ask_what_to_do, with_review
from kcode.headless.stdin import mark_piped, read_piped
from kcode.headless.terminal import DIM, GREEN, YELLOW, Terminal
from kcode.options import TEST_SECONDS
from kcode.prompts import render_prompt
from kcode.testing.verdict import failed_before

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.draft.files import Proposal
    from kcode.events import Event
    from kcode.options import ModelOptions, OutputOptions, PlaceOptions
    from kcode.questions import Ask
    from kcode.results import TestReport

LAST_LINES = 10
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
        try:
            # Outside the event loop, where Ctrl-C at the question is an ordinary KeyboardInterrupt.
            delivered = _deliver(bench, outcome, terminal, output)
            if isinstance(delivered, str):
                request = _Request(with_review(bench, delivered), delivered)
                continue
        except BaseException:
            run_until_signal(bench.aclose(), runner)
            raise
        run_until_signal(bench.aclose(), runner)
        return delivered


@dataclass(frozen=True, slots=True)
class _Outcome:
    proposal: Proposal
    finished: TurnFinished
    tests: TestReport | None
    before: TestReport | None
    """The tests over the untouched workspace, where they fail over the draft and that was worth a run."""


async def _fix(bench: Workbench, request: _Request, terminal: Terminal, output: OutputOptions) -> _Outcome:
    reporter = Reporter(terminal, quiet=output.quiet)
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
    return _Outcome(proposal, finished, tests, before)


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


def _deliver(bench: Workbench, outcome: _Outcome, terminal: Terminal, output: OutputOptions) -> int | str:
    """Give what came of a turn; the exit code, or what the user wants to have different."""
    proposal, finished, tests = outcome.proposal, outcome.finished, outcome.tests
    code = _exit_code(proposal, finished, tests)
    if code in {EXIT_LIMIT, EXIT_NO_CHANGE}:
        if code == EXIT_LIMIT:
            terminal.say(f"{finished.text} {_where_it_is(proposal, tests)}", YELLOW)
        elif not output.quiet:
            terminal.say("No change is proposed.", YELLOW)
        if output.json:
            _write_hunks(bench, proposal)
            write_line("run.completed", exit_code=code, applied=False, tests=None)
        return code
    keys = _write_hunks(bench, proposal) if output.json else []
    if not output.json and not output.apply:
        print_patch(proposal, terminal, output)
    if not output.quiet:
        _tell_outcome(bench, outcome, terminal)
    applied: bool | str = False
    if output.apply:
        applied = decide_and_apply(bench, proposal, terminal, ask=False)
    elif not output.patch and not output.json and output.file is None and sys.stdout.isatty():
        applied = ask_what_to_do(bench, proposal, terminal)
    if isinstance(applied, str):
        return applied
    if output.json:
        # What conflicts with the user's own changes was not written.
        left = review_of(bench).look().decisions if applied else {}
        for path, identity in keys if applied else ():
            if (identity or path) not in left:
                write_line("hunk.decided", path=path, id=identity, decision="applied")
        proof = tests_fields(tests) | {"failed_before": failed_before(tests, outcome.before)} if tests else None
        write_line("run.completed", exit_code=code, applied=applied, tests=proof)
    return code


def _write_hunks(bench: Workbench, proposal: Proposal) -> list[tuple[str, str | None]]:
    """Write a `hunk.proposed` line for each hunk; their paths and ids, None for a file that is decided whole."""
    if not proposal:
        return []
    review = review_of(bench)
    fields = [proposed_fields(facts) for facts in review.facts(review.look())]
    for one in fields:
        write_line("hunk.proposed", **one)
    return [(one["path"], one["id"]) for one in fields]


def _exit_code(proposal: Proposal, finished: TurnFinished, tests: TestReport | None) -> int:
    if finished.reason is not TurnEnd.DONE:
        return EXIT_LIMIT
    if not proposal:
        return EXIT_NO_CHANGE
    return EXIT_TESTS_FAIL if tests is not None and not tests.ok else 0


def _tell_outcome(bench: Workbench, outcome: _Outcome, terminal: Terminal) -> None:
    tests = outcome.tests
    if tests and not tests.ok and not tests.failures:
        # The runner named no failing test, so what it said last is all there is to go by.
        terminal.say("\n".join(tests.result.output.rstrip().splitlines()[-LAST_LINES:]), DIM)
    verdict = f"{_verdict(tests)}{describe_before(tests, outcome.before) if tests else ''}"
    terminal.say(f"{describe_size(outcome.proposal)}; {verdict}", GREEN if tests and tests.ok else YELLOW)
    tell_root(outcome.proposal, bench.workspace, terminal)


def _verdict(tests: TestReport | None) -> str:
    return describe_tests(tests) if tests else "no tests were found here, so nothing proves this change"


def _where_it_is(proposal: Proposal, tests: TestReport | None) -> str:
    if not proposal:
        return "Nothing was changed so far."
    tested = describe_tests(tests) if tests else "untested"
    return f"What was changed so far is kept ({tested}): kcode diff shows it, kcode apply writes it."
