"""What `kcode fix` gives once a turn has ended: the product, the question, and the exit code of the design."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kcode.agent.reviewing import review_of
from kcode.events import TurnEnd
from kcode.headless.baseline import describe_before
from kcode.headless.fix import EXIT_LIMIT, EXIT_NO_CHANGE, EXIT_TESTS_FAIL
from kcode.headless.hunklist import proposed_fields
from kcode.headless.jsonlines import tests_fields, write_line
from kcode.headless.product import decide_and_apply, describe_size, print_patch, tell_root
from kcode.headless.report import describe_tests
from kcode.headless.review import ask_what_to_do
from kcode.headless.terminal import DIM, GREEN, YELLOW
from kcode.testing.verdict import failed_before

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.draft.files import Proposal
    from kcode.events import TurnFinished
    from kcode.headless.fix import Outcome
    from kcode.headless.terminal import Terminal
    from kcode.options import OutputOptions
    from kcode.results import TestReport

LAST_LINES = 10


def deliver(bench: Workbench, outcome: Outcome, terminal: Terminal, output: OutputOptions) -> int | str:
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


def _tell_outcome(bench: Workbench, outcome: Outcome, terminal: Terminal) -> None:
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
