"""A call of a tool, from its start to its result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.agent.owncommands import OWN_COMMAND
from kcode.sanitize import sanitize_line
from kcode.tui.blocks.amounts import write_seconds
from kcode.tui.blocks.block import MARGIN, Block, headline
from kcode.tui.blocks.testruns import report_lines, verdict_of
from kcode.tui.calls import argument_lines, arguments_of, count_changes, edits_of, subject_of
from kcode.tui.highlight import highlight_lines
from kcode.tui.lines import Line, Role, Span, pad, plain, shorten
from kcode.tui.output import last_line, output_lines, settled_output
from kcode.tui.rows import Row, broken, indented

if TYPE_CHECKING:
    from kcode.messages import ToolCall
    from kcode.results import TestReport, ToolResult
    from kcode.tui.texts import Texts

_EXIT = re.compile(r"Exit code (\d+) after [\d.]+ s$")
_MINUS = "-"
_BODY: Line = (Span("  │ ", Role.RULE),)
# What a running command writes is kept up to there, its end for sure; while it runs, so many of its lines are shown.
_MOST_KEPT, _LINES_SHOWN = 1_000_000, 200
_LONGEST_COLORED = 400


class ToolBlock(Block):
    """Running it shows what it is about and the last line of its output; then it is one line that opens to all of it."""

    can_open = folds = True

    def __init__(self, number: int, texts: Texts, call: ToolCall) -> None:
        super().__init__(number, texts)
        self.call = call
        self.result: ToolResult | None = None
        self.report: TestReport | None = None
        self.seconds: float | None = None
        self.was_interrupted = False
        self._arguments = arguments_of(call)
        self._subject = subject_of(self._arguments)
        self._output: list[str] = []
        self._size = 0

    @property
    def is_running(self) -> bool:
        return self.result is None and not self.was_interrupted

    @property
    def output(self) -> str:
        """What it wrote while it ran."""
        if len(self._output) > 1:
            self._output = ["".join(self._output)]
        return self._output[0] if self._output else ""

    @property
    def source(self) -> str:
        said = self._said()
        return "\n".join([*map(plain, argument_lines(self.call)), *([said] if said else [])])

    def linear(self) -> str:
        return f"{self.texts('transcript.linear_tool')} {self._linear_title()}\n{settled_output(self.source)}".rstrip()

    def add_output(self, text: str) -> None:
        self._output.append(text)
        self._size += len(text)
        if self._size > _MOST_KEPT:
            self._output = ["…\n" + self.output[-_MOST_KEPT // 2 :].partition("\n")[2]]
            self._size = len(self._output[0])
        self.mark_changed()

    def settle(self, result: ToolResult, seconds: float | None = None) -> None:
        self.result, self.seconds = result, seconds
        self.report = result.tests or self.report
        self.mark_changed()

    def set_report(self, report: TestReport) -> None:
        self.report = report
        self.mark_changed()

    def interrupt(self) -> None:
        """The turn ended before the call did."""
        if self.is_running:
            self.was_interrupted = True
            self.mark_changed()

    def estimate(self, width: int) -> int:
        return super().estimate(width) if self.is_open else self.is_spaced + 1

    def lay_out(self, width: int) -> list[Row]:
        head = self.clickable(headline(self._name(), self._about(), self._outcome(), width - 2))
        rows = [Row((*MARGIN, *head), len(MARGIN[0].text))]
        if self.is_open:
            inner = max(width - 4, 8)
            body = [_filled(row, inner) for line in self._body() for row in broken(line, inner)]
            return rows + indented(body, _BODY, _BODY)
        if self.is_running and (last := last_line("".join(self._output[-50:]))):
            line = shorten((Span(last, Role.DIM),), max(width - 4, 8))
            rows.append(Row((*MARGIN, Span("└ ", Role.RULE), *line), 4))
        return rows

    def _name(self) -> Line:
        mark = Span("⋯ ", Role.ACCENT)
        if self.was_interrupted:
            mark = Span("· ", Role.WARNING)
        elif self.result is not None:
            mark = Span("✗ ", Role.BAD) if self._failed() else Span("✓ ", Role.GOOD)
            if not self._failed() and not self.result.went_well:
                # Another exit code than 0 may be just what was looked for, as of grep.
                mark = Span("· ", Role.WARNING)
        return (mark, Span(sanitize_line(self.call.name), Role.TOOL))

    def _about(self) -> Line:
        return (Span(f" {self._subject}", Role.TEXT),) if self._subject else ()

    def _failed(self) -> bool:
        return self.result is not None and (self.result.failed or (self.report is not None and not self.report.ok))

    def _outcome(self) -> Line:
        """What stands behind the subject."""
        spans: list[Span] = []
        if self.was_interrupted:
            spans.append(Span(f" {self.texts('transcript.call_interrupted')}", Role.WARNING))
        elif self.report is not None and self.result is not None:
            spans += [Span(" "), *verdict_of(self.report, self.texts)]
        elif self.result is not None and not self.result.failed and (edits := edits_of(self._arguments)):
            counts = count_changes(edits)
            spans += [Span(f" +{counts.added}", Role.ADDED), Span(f" {_MINUS}{counts.removed}", Role.REMOVED)]
        elif self.result is not None and (summary := self._summary()):
            spans.append(Span(f" {summary}", Role.BAD if self.result.failed else Role.DIM))
        if self.seconds is not None and self.seconds >= 0.05:
            spans.append(Span(f" {write_seconds(self.seconds, self.texts)}", Role.GUTTER))
        return tuple(spans)

    def _summary(self) -> str:
        """The result in short, without what the subject has said already."""
        assert self.result is not None
        summary = sanitize_line(self.result.summary)
        if not summary and self.result.failed:
            summary = sanitize_line(self.result.text.strip().split("\n")[0])
        if ended := _EXIT.match(summary):
            return "" if ended[1] == "0" else self.texts("transcript.exit_code", code=ended[1])
        path = str(self._arguments.get("path", "")) if self._arguments else ""
        for said in (self._subject, sanitize_line(path)):
            if said and summary.startswith(said) and summary[len(said) : len(said) + 1] in {"", ":", ",", " "}:
                summary = summary[len(said) :].lstrip(":, ")
        return summary

    def _linear_title(self) -> str:
        state = (
            "running"
            if self.is_running
            else "interrupted"
            if self.was_interrupted
            else "failed"
            if self._failed()
            else "done"
        )
        line = (
            Span(self.call.name),
            *self._about(),
            Span(f" ({self.texts(f'transcript.linear_{state}')})"),
            *self._outcome(),
        )
        return sanitize_line(plain(line))

    def _body(self) -> list[Line]:
        lines = self._asked()
        if self.report is not None:
            lines += report_lines(self.report, self.texts)
        said = settled_output(self._said()).rstrip("\n")
        if not said:
            return lines
        answer = output_lines(said, Role.BAD if self.result is not None and self.result.failed else Role.TEXT)
        if self.is_running:
            answer = answer[-_LINES_SHOWN:]
        return [*lines, *([(Span("┄┄┄", Role.GUTTER),)] if lines else []), *answer]

    def _asked(self) -> list[Line]:
        """The arguments; a whole file in the colours of its language."""
        arguments = self._arguments
        if self.call.name == OWN_COMMAND and self._subject == (arguments or {}).get("command"):
            return []  # the head shows all of it
        content = arguments.get("content") if arguments else None
        path = arguments.get("path") if arguments else None
        if not (isinstance(content, str) and isinstance(path, str)) or content.count("\n") > _LONGEST_COLORED:
            return argument_lines(self.call)
        return [(Span("+ ", Role.ADDED), *line) for line in highlight_lines(content, path)]

    def _said(self) -> str:
        """What came of it: what a command wrote, where that is more than the model was shown."""
        if self.result is None:
            return self.output
        if self.call.name == OWN_COMMAND:
            return max(self.result.text, self.output, key=len)
        if len(self.output) > len(self.result.text):
            return f"{self.result.text.partition(chr(10))[0]}\n{self.output}"
        return self.result.text


def _filled(row: Row, width: int) -> Row:
    """A changed line's ground goes to the edge."""
    ground = row.line[0].ground if row.line else None
    return row._replace(line=pad(row.line, width, ground)) if ground else row
