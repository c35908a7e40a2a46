"""`kcode ask`: a question, tools that only read, the answer on stdout."""

from __future__ import annotations

import os
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.agent.turn import run_turn
from kcode.agent.workbench import open_workbench
from kcode.errors import KcodeError, UsageError
from kcode.events import TextStreamed, TurnEnd, TurnFinished
from kcode.headless.fix import EXIT_LIMIT
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import write_event, write_line
from kcode.headless.person import ask_person
from kcode.headless.product import write_file
from kcode.headless.report import Reporter, describe_usage
from kcode.headless.stdin import read_piped
from kcode.headless.terminal import DIM, YELLOW, Terminal
from kcode.headless.waiting import answering
from kcode.headless.wrapping import Wrapper
from kcode.piped import mark_piped
from kcode.prompts import render_prompt
from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.options import ModelOptions, OutputOptions, PlaceOptions


def answer_question(question: str, model: ModelOptions, place: PlaceOptions, output: OutputOptions) -> int:
    """Answer the question and return the exit code."""
    terminal = Terminal(os.environ, output.color)
    piped = read_piped(wait=not question.strip())
    if not question.strip() and not piped:
        raise UsageError('No question was given. Ask one: kcode ask "where are sessions stored?", or pipe it in.')
    bench = open_workbench(model, place, "ask")
    # Piped in alone it is the question itself, and no data that one is about.
    text = (
        f"{mark_piped(piped)}\n\n{question.strip()}"
        if question.strip() and piped
        else question.strip() or str(piped).strip()
    )
    prompt = render_prompt("ask", bench.own_prompts, question=text)
    return run_until_signal(answer_prompt(bench, prompt, text, terminal, output))


async def answer_prompt(bench: Workbench, prompt: str, words: str, terminal: Terminal, output: OutputOptions) -> int:
    """Ask the model with read-only tools, and print what it answers; `words` are the user's own. The exit code."""
    # At a terminal the answer streams to stdout as it comes; into a pipe it goes whole, once it is known to be the last.
    streams = sys.stdout.isatty() and not output.json and output.file is None
    reporter = Reporter(terminal, quiet=output.quiet, waits_for=answering(bench), answer_aloud=False)
    for line in () if output.quiet else bench.packed:
        terminal.say(line, DIM)
    for warning in bench.warnings:
        terminal.say(f"! {warning}", YELLOW)
    if output.json:
        write_line("thread.started", version=1, session=bench.session.id, workspace=str(bench.workspace.root))
    finished: TurnFinished | None = None
    answer = _StreamedAnswer(terminal.columns(sys.stdout) if streams else None)
    async with bench:
        ask = None if output.json or output.quiet else ask_person(terminal, reporter)
        try:
            reporter.wait()
            async with aclosing(run_turn(replace(bench.desk, ask=ask), prompt, words)) as events:
                async for event in events:
                    if streams and isinstance(event, TextStreamed):
                        reporter.close()
                        answer.say(event.text)
                    else:
                        answer.end_line()
                    reporter.report(event)
                    bench.record(event)
                    if output.json:
                        write_event(event)
                    if isinstance(event, TurnFinished):
                        finished = event
        finally:
            answer.end_line()
            reporter.close()
    assert finished is not None  # a turn that does not raise ends with TurnFinished
    if not output.quiet:
        terminal.say(describe_usage(finished.usage, finished.steps), DIM)
    return _deliver(finished, terminal, output, streams=streams)


class _StreamedAnswer:
    """Text on a terminal's stdout as it comes; its line is ended before anything else is said there."""

    def __init__(self, columns: int | None) -> None:
        self._is_open, self._wrapper = False, Wrapper(columns)

    def say(self, text: str) -> None:
        sys.stdout.write(self._wrapper.feed(sanitize(text)))
        sys.stdout.flush()
        self._is_open = not text.endswith("\n")

    def end_line(self) -> None:
        if self._is_open:
            self._is_open = False
            sys.stdout.write(f"{self._wrapper.flush()}\n")
            sys.stdout.flush()


def _deliver(finished: TurnFinished, terminal: Terminal, output: OutputOptions, *, streams: bool) -> int:
    if finished.reason is not TurnEnd.DONE:
        terminal.say(finished.text, YELLOW)
        return EXIT_LIMIT
    answer = finished.text.strip() + "\n"
    try:
        if output.file is not None:
            write_file(output.file, answer.encode("utf-8", "replace"))
        elif not streams and not output.json:
            sys.stdout.buffer.write(answer.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
    except KcodeError:
        terminal.say(answer)  # It has been paid for, and nothing else shows it again.
        raise
    return 0
