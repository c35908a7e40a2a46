"""`kcode test --bisect`: which of the chosen hunks make the tests fail, or pass."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from kcode.agent.bisect import BisectEnd, Bisection, ProbeFinished, ProbeStarted, bisect
from kcode.draft.selection import keys_of
from kcode.headless.choice import choice_fields, describe_choice
from kcode.headless.jsonlines import VERSION, tests_fields, write_line
from kcode.headless.terminal import DIM
from kcode.sanitize import sanitize_line, sanitize_names
from kcode.testing.verdict import Verdict

if TYPE_CHECKING:
    from kcode.agent.partial import PartialTests
    from kcode.draft.files import Proposal
    from kcode.headless.choice import Choice
    from kcode.headless.terminal import Terminal
    from kcode.options import OutputOptions, TestOptions
    from kcode.results import TestReport

EXIT_CODES = {BisectEnd.FOUND: 0, BisectEnd.OUT_OF_RUNS: 6, BisectEnd.NO_DIFFERENCE: 3, BisectEnd.FLAKY: 1}
_WORDS = {Verdict.PASS: "passes", Verdict.FAIL: "fails", Verdict.UNRESOLVED: "fails in another way"}


async def bisect_hunks(
    tests: PartialTests, choice: Choice, options: TestOptions, output: OutputOptions, terminal: Terminal
) -> int:
    """Search among the chosen hunks, tell what came of it, and return the exit code."""
    if output.json:
        fields = choice_fields(choice, tests.workspace.root)
        write_line("bisect.started", version=VERSION, most_runs=options.most_runs, **fields)

    async def run(keys: frozenset[str]) -> TestReport:
        return await tests.run(choice.proposal, keys, target=options.target, seconds=options.seconds)

    files = [keys_of(change).intersection(choice.keys) for change in choice.proposal.changes]
    reporter = _Reporter(terminal, choice, output)
    try:
        found = await bisect(run, files, most_runs=options.most_runs, on_probe=reporter.report)
    finally:
        reporter.close()
    code = EXIT_CODES[found.end]
    if output.json:
        write_line("bisect.completed", **_fields(found, choice))
        write_line("run.completed", exit_code=code)
    else:
        sys.stdout.write(describe_bisection(found, choice))
        sys.stdout.flush()
    return code


class _Reporter:
    """Tells each run as one line that settles, and as one JSON event."""

    def __init__(self, terminal: Terminal, choice: Choice, output: OutputOptions) -> None:
        self._terminal, self._choice, self._output = terminal, choice, output
        self._is_open = False

    def report(self, event: ProbeStarted | ProbeFinished) -> None:
        told = f"run {event.number}: {describe_choice(event.keys, len(self._choice.keys))}"
        if isinstance(event, ProbeFinished):
            self.close()
            if self._output.json:
                self._write(event)
            if not self._output.quiet:
                problem = sanitize_line(event.problem.partition("\n")[0])
                words = f"cannot be tested: {problem}" if event.problem else _WORDS[event.verdict]
                self._terminal.say(f"{told}: {words}", DIM)
        elif not self._output.quiet and self._terminal.is_live(sys.stderr):
            self._terminal.say(f"{told} …", DIM, end="")
            self._is_open = True

    def close(self) -> None:
        """Take away the line of a run that is still under way."""
        if self._is_open:
            sys.stderr.write("\r\x1b[K")
            self._is_open = False

    def _write(self, event: ProbeFinished) -> None:
        write_line(
            "probe.finished",
            run=event.number,
            hunks=_in_order(event.keys, self._choice),
            verdict=event.verdict.value,
            problem=event.problem or None,
            tests=tests_fields(event.report) if event.report else None,
        )


def describe_bisection(found: Bisection, choice: Choice) -> str:
    """The answer for people, a few lines."""
    tests = f": {sanitize_names(sorted(found.tests))}" if found.tests else ""
    flaky = sanitize_names(sorted(found.flaky))
    if found.end is BisectEnd.NO_DIFFERENCE:
        if found.tests:
            return f"The same tests fail with these hunks and without them{tests}.\n"
        return "The tests do the same with these hunks and without them, so there is nothing to find.\n"
    if found.end is BisectEnd.FLAKY and not found.keys:
        named = f": {flaky}" if flaky else ""
        return f"The tests do not do the same twice over the same files{named}. No hunk can be blamed.\n"
    lines = [*_head(found, choice, tests), *_places(found.keys, choice.proposal)]
    if found.others:
        names = sanitize_names(sorted(found.others))
        these = shlex.quote(sanitize_line(",".join(_in_order(found.keys, choice))))
        lines.append(f"Other hunks make others fail: {names}. To find them: kcode test --bisect --without {these}")
    if flaky:
        lines.append(f"Not counted, since they do not do the same twice: {flaky}.")
    return "\n".join(lines) + "\n"


def _head(found: Bisection, choice: Choice, tests: str) -> list[str]:
    count = len(found.keys)
    which = describe_choice(found.keys, len(choice.keys)) + (" together" if count > 1 else "")
    if found.wanted is Verdict.FAIL:
        does = f"{'makes' if count == 1 else 'make'} the tests fail{tests}."
    else:
        does = f"{'is' if count == 1 else 'are'} enough for the tests to pass{tests}."
    match found.end:
        case BisectEnd.FLAKY:
            return [
                f"{which} {does}",
                "But run once more over just these, the tests did something else: none can be blamed.",
            ]
        case BisectEnd.OUT_OF_RUNS:
            return [
                f"{which} {does}",
                f"Fewer may do; the search stopped after {found.runs} runs, and --max-runs allows more.",
            ]
        case _:
            return [f"{which} {does}{' Each of them is needed.' if count > 1 else ''}"]


def _places(keys: frozenset[str], proposal: Proposal) -> list[str]:
    lines = []
    for change in proposal.changes:
        path = sanitize_line(change.path)
        if change.path in keys:
            lines.append(f"  {path}")
        lines += [f"  {hunk.id}  {path}:{max(hunk.new_start, 1)}" for hunk in change.hunks if hunk.id in keys]
    return lines


def _fields(found: Bisection, choice: Choice) -> dict[str, object]:
    return {
        "end": found.end.value,
        "wanted": found.wanted.value if found.wanted else None,
        "hunks": _in_order(found.keys, choice),
        "tests": sorted(found.tests),
        "others": sorted(found.others),
        "flaky": sorted(found.flaky),
        "runs": found.runs,
    }


def _in_order(keys: frozenset[str], choice: Choice) -> list[str]:
    return [key for key in choice.keys if key in keys]
