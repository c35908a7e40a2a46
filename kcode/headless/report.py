"""A turn for people: the reasoning dimmed, each tool call as one line that settles, all on stderr."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from kcode.events import (
    CompactionStarted,
    ContextCompacted,
    KeyEntered,
    ModelChosen,
    ModelNudged,
    ReasoningStreamed,
    ReplyDiscarded,
    RetryScheduled,
    RetryWaiting,
    StepStarted,
    TextStreamed,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    UserWarned,
)
from kcode.folders import config_folder
from kcode.headless.terminal import DIM, GREEN, RED, YELLOW
from kcode.headless.waiting import WaitingLine
from kcode.headless.wrapping import Wrapper
from kcode.pricing import write_dollars
from kcode.results import CommandEnd
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from kcode.events import Event
    from kcode.headless.terminal import Terminal
    from kcode.messages import ToolCall, Usage
    from kcode.results import TestReport, ToolResult

TITLE_WIDTH = 60
# A summary that tells the time itself.
_SECONDS = re.compile(r"\d s\b")


class Reporter:
    """Prints events as they come. `answer_aloud` is for a front end that prints the answer itself: then False.

    `waits_for` says whose reply is waited for, which a terminal shows with a moving sign until something comes.
    """

    def __init__(
        self, terminal: Terminal, *, quiet: bool = False, answer_aloud: bool = True, waits_for: str = ""
    ) -> None:
        self._terminal = terminal
        self._quiet = quiet
        self._answer_aloud = answer_aloud
        self._streaming = ""
        self._pending = ""
        self._wrapper = Wrapper(None)
        self._waiting = WaitingLine(terminal, waits_for)

    def report(self, event: Event) -> None:
        """Show one event."""
        if self._quiet:
            return
        match event:
            case StepStarted():
                self.wait()
            case ReasoningStreamed(text):
                self._stream(text, DIM)
            case TextStreamed(text) if self._answer_aloud:
                self._stream(text, "")
            case ToolCallStarted(call):
                self._start(call)
            case ToolCallFinished(call, result, seconds):
                self._settle(call, result, seconds)
            case RetryScheduled() | RetryWaiting():
                self._report_retry(event)
            case CompactionStarted(reason):
                self._remark(f"Compacting the conversation, since {reason} …", DIM)
            case ContextCompacted(before, after):
                self._remark(f"Compacted: about {before:,} tokens became {after:,}.", DIM)
            case ReplyDiscarded(reason=reason) | ModelNudged(reason):
                self._remark(f"! {reason}")
            case ModelChosen(model):
                file = config_folder(self._terminal.environment) / "config.toml"
                self._remark(f'Going on with {model}. To keep it: model = "{model}" in {file}, or --model {model}.')
            case KeyEntered():
                self._remark("Going on with that key, in this run alone. To keep it: kcode login.")
            case UserWarned(text):
                self._remark(f"! {sanitize_line(text)}")
            case TurnFinished():
                self._end_line()
            case _:
                pass

    def wait(self) -> None:
        """Show that a reply is waited for, until anything else is shown."""
        if not self._quiet:
            self._end_line()
            self._waiting.show()

    def close(self) -> None:
        """End an unfinished line, whatever came in between."""
        if not self._quiet:
            self._end_line()

    def _stream(self, text: str, code: str) -> None:
        if self._streaming != (code or "text"):
            self._end_line()
            self._streaming = code or "text"
            self._wrapper = Wrapper(self._terminal.columns(sys.stderr))
        self._terminal.say(self._wrapper.feed(text), code, end="")
        self._pending = "" if text.endswith("\n") else "stream"

    def _start(self, call: ToolCall) -> None:
        self._end_line()
        if self._terminal.is_live(sys.stderr):
            self._terminal.say(f"· {title_of(call)} …", end="")
            self._pending = "call"

    def _settle(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        if self._pending == "call":
            sys.stderr.write("\r\x1b[K")
            self._pending = ""
        failed = result.failed or (result.tests is not None and not result.tests.ok)
        summary = (
            describe_tests(result.tests) if result.tests else _without(title_of(call), sanitize_line(result.summary))
        )
        took = f" ({seconds:.1f} s)" if seconds >= 0.1 and not _SECONDS.search(summary) else ""
        code = RED if failed else GREEN if result.tests else ""
        # Another exit code than 0 may be just what was looked for, as of grep.
        mark = "✗" if failed else "✓" if result.went_well else "·"
        self._terminal.say(f"{mark} {title_of(call)}{f' — {summary}' if summary else ''}{took}", code)

    def _report_retry(self, event: RetryScheduled | RetryWaiting) -> None:
        """At a terminal that can rewrite its last line the seconds count down there until the request leaves."""
        counts = self._terminal.is_live(sys.stderr)
        attempt = f"(attempt {event.attempt + 1} of {event.attempts})"
        match event:
            case RetryScheduled(reason, seconds):
                again = "" if counts else f" Trying again in {seconds:.0f} s {attempt}."
                self._remark(f"! {reason}{again}")
            case RetryWaiting(left) if counts:
                self._end_line()
                if left:
                    self._terminal.say(f"Trying again in {left} s {attempt}; Ctrl-C stops", DIM, end="")
                    self._pending = "countdown"
            case _:
                pass

    def _remark(self, words: str, code: str = YELLOW) -> None:
        self._end_line()
        self._terminal.say(words, code)

    def _end_line(self) -> None:
        self._waiting.hide()
        if self._pending == "stream" and (rest := self._wrapper.flush()):
            self._terminal.say(rest, DIM if self._streaming == DIM else "", end="")
        if self._pending == "countdown":
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        elif self._pending:
            sys.stderr.write("\n")
        self._pending = self._streaming = ""


def title_of(call: ToolCall) -> str:
    """The call in one short line: its name, and its first argument if that is short enough to tell."""
    try:
        arguments = json.loads(call.arguments, strict=False)
    except ValueError:
        return call.name
    first = next(iter(arguments.values()), "") if isinstance(arguments, dict) else ""
    # A command of several lines reads better with blanks than with the sign for a line break.
    shown = sanitize_line(str(first).replace("\n", " ")) if isinstance(first, str | int) else ""
    return f"{call.name} {shown[:TITLE_WIDTH]}{'…' if len(shown) > TITLE_WIDTH else ''}".rstrip()


def describe_tests(report: TestReport) -> str:
    """One line on a test run: counts where they are known, and the names of the first failing tests."""
    counts = [
        f"{count} {word}"
        for count, word in ((report.passed, "passed"), (report.failed, "failed"), (report.skipped, "skipped"))
        if count
    ]
    if report.result.end is CommandEnd.TIMEOUT:
        return f"tests fail: stopped after {report.result.seconds:.0f} s, before their end"
    if report.result.end is not CommandEnd.EXITED:
        return f"tests fail: stopped after {report.result.seconds:.0f} s, for what they did"
    verdict = "tests pass" if report.ok else "tests fail"
    names = ", ".join(_shortened(failure.name) for failure in report.failures[:3])
    more = f" and {len(report.failures) - 3} more" if len(report.failures) > 3 else ""
    return f"{verdict}: {', '.join(counts) or f'exit code {report.result.exit_code}'}" + (
        f" ({names}{more})" if names else ""
    )


def _shortened(name: str) -> str:
    """A test's name by its end, which tells more than its folder does."""
    name = sanitize_line(name)
    return name if len(name) <= TITLE_WIDTH else f"…{name[1 - TITLE_WIDTH :]}"


def _without(title: str, summary: str) -> str:
    """The summary without the path that the title has said already."""
    said = title.partition(" ")[2]
    return summary.removeprefix(said).lstrip(":, ") if said else summary


def describe_usage(usage: Usage, steps: int) -> str:
    """What a turn or a session took, in one line.

    What was not told is not said to be nothing; a cost by the list of prices is marked as an estimate.
    """
    if not steps:
        return "no reply"
    told = f"{steps} {'step' if steps == 1 else 'steps'}, {_describe_tokens(usage)}"
    if usage.cost is None:
        return f"{told}, price unknown"
    return f"{told}, {'≈ ' if usage.cost_is_estimate else ''}{write_dollars(usage.cost) if usage.cost else 'free'}"


def _describe_tokens(usage: Usage) -> str:
    if not usage.prompt_tokens and not usage.completion_tokens:
        return "tokens not reported"
    cached = f" ({usage.cached_tokens / usage.prompt_tokens:.0%} cached)" if usage.prompt_tokens else ""
    reasoning = f" ({usage.reasoning_tokens / usage.completion_tokens:.0%} reasoning)" if usage.reasoning_tokens else ""
    return f"{usage.prompt_tokens:,} tokens in{cached}, {usage.completion_tokens:,} out{reasoning}"
