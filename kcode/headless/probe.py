"""`kcode doctor --probe`: what the endpoint really does, line by line as it is found out."""

from __future__ import annotations

import json as json_text
import os
import sys
import textwrap
from contextlib import aclosing
from typing import TYPE_CHECKING

from kcode import __version__
from kcode.agent.calls import read_arguments
from kcode.errors import ProviderError, ToolError
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import usage_fields, write_line
from kcode.headless.terminal import BOLD, DIM, GREEN, RED, YELLOW, Terminal
from kcode.messages import Usage
from kcode.pricing import Billing, find_price, priced
from kcode.providers.choice import profile_for, resolve_endpoint, resolve_model
from kcode.providers.dialects import REASONING_KEYS
from kcode.providers.keys import find_key
from kcode.providers.learned import Learned
from kcode.providers.openai_chat import open_memory
from kcode.providers.probe import ProbeReport, as_toml
from kcode.providers.probe.run import OUTPUT_TOKENS, PROMPT_TOKENS, REQUESTS, Probe
from kcode.providers.sdk import SdkTransport
from kcode.sanitize import sanitize
from kcode.settings import load_settings

if TYPE_CHECKING:
    from kcode.options import ModelOptions
    from kcode.providers.endpoints import Endpoint
    from kcode.providers.probe import Check
    from kcode.tooling import Tool

MARKS = {"ok": ("✓", GREEN), "weak": ("!", YELLOW), "bad": ("✗", RED), "unknown": ("?", DIM)}
_VERDICT_MARKS = {"good": MARKS["ok"], "usable": MARKS["weak"], "unfit": MARKS["bad"], "unfinished": MARKS["unknown"]}
_WIDTH = 14


def print_finding(terminal: Terminal, level: str, name: str, text: str) -> None:
    """One line on stdout: a mark, what was looked at, and what was found."""
    mark, color = MARKS[level]
    _write_line(terminal.style(mark, color, sys.stdout), name, text)


def _write_line(mark: str, name: str, text: str) -> None:
    lines = sanitize(text).split("\n")
    if sys.stdout.isatty():
        columns = os.get_terminal_size(sys.stdout.fileno()).columns or 80  # a terminal that was not told has 0
        width = max(20, columns - _WIDTH - 3)
        lines = [
            part
            for line in lines
            for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
        ]
    shown = ("\n" + " " * (_WIDTH + 3)).join(lines)
    sys.stdout.write(f"{mark} {name.replace('_', ' '):<{_WIDTH}} {shown}\n")
    sys.stdout.flush()


def probe_endpoint(model: ModelOptions, terminal: Terminal, *, json: bool) -> bool:
    """Probe the endpoint that the settings mean and print what is found; True when it is fit for kcode's work.

    Raises ProviderError when the endpoint fails; what was found before has been printed then.
    """
    flags = {"endpoint": model.endpoint, "base_url": model.base_url, "model": model.model}
    settings = load_settings(flags, os.environ)
    endpoint = resolve_endpoint(settings, os.environ)
    name = resolve_model(endpoint, settings)
    key = find_key(endpoint, settings, os.environ)
    progress = _Progress(terminal)
    terminal.say(f"Sending up to {REQUESTS} small requests to {endpoint.title}, {name}: {_price(endpoint, name)}.", DIM)
    transport = SdkTransport(endpoint, key, settings.idle_timeout, __version__)
    probe = Probe(
        endpoint,
        name,
        transport,
        key=key,
        window=profile_for(endpoint, name, settings.window).window,
        wrong_with=what_is_wrong,
        tell=progress.tell,
    )
    report = run_until_signal(_run(probe, transport, progress, json=json))
    if report.learned or report.window:
        open_memory(endpoint, settings, os.environ).keep(name, _as_learned(report))
    if report.failure is not None:
        raise ProviderError(report.failure)
    return report.verdict in {"good", "usable"}


async def _run(probe: Probe, transport: SdkTransport, progress: _Progress, *, json: bool) -> ProbeReport:
    try:
        async with aclosing(transport), aclosing(probe.run()) as checks:
            async for check in checks:
                progress.clear()
                _write_check(check) if json else print_finding(progress.terminal, check.level, check.name, check.text)
    finally:
        # Also what Ctrl-C left is told.
        progress.clear()
        report = probe.report()
        _write_report(report) if json else _print_report(progress.terminal, report)
    return report


def _as_learned(report: ProbeReport) -> Learned:
    """What runs should know; the key of the reasoning stays open to what the endpoint sends later."""
    dialect = dict(report.learned)
    key = dialect.pop("reasoning_out", None)
    return Learned(next((known for known in REASONING_KEYS if known == key), None), dialect, report.window)


class _Progress:
    """What is being waited for: a last line that is written over at a terminal, and lines of their own in a file."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._live = terminal.is_live(sys.stderr)
        self._open = False

    def tell(self, text: str) -> None:
        self.clear()
        self.terminal.say(text, DIM, end="" if self._live else "\n")
        self._open = self._live

    def clear(self) -> None:
        if self._open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._open = False


def what_is_wrong(tool: Tool, arguments: str) -> str | None:
    """What keeps these arguments from the tool's schema; "mended" when kcode reads them all the same."""
    try:
        read = read_arguments(arguments, tool)
    except ToolError as error:
        return str(error)
    try:
        return None if json_text.loads(arguments) == read else "mended"
    except ValueError:
        return "mended"


def _price(endpoint: Endpoint, model: str) -> str:
    tokens = f"about {PROMPT_TOKENS:,} tokens in and {OUTPUT_TOKENS:,} out"
    if endpoint.is_loopback:
        return tokens
    billing = Billing(find_price(model, endpoint.prices), endpoint.reports_cost)
    cost = priced(Usage(PROMPT_TOKENS, OUTPUT_TOKENS), billing).cost
    return f"{tokens}, {'at a price that kcode does not know' if cost is None else f'some ${cost:.2f}'}"


def _print_report(terminal: Terminal, report: ProbeReport) -> None:
    mark, color = _VERDICT_MARKS[report.verdict]
    _write_line(terminal.style(mark, color, sys.stdout), "verdict", report.summary)
    if learned := as_toml(report):
        sys.stdout.write(terminal.style("\nLearned, for config.toml:", BOLD, sys.stdout) + f"\n{learned}\n")
    sys.stdout.flush()
    usage = report.usage
    cost = "price unknown" if usage.cost is None else f"${usage.cost:.4f}"
    sums = f"{usage.prompt_tokens:,} tokens in ({usage.cached_tokens:,} cached), {usage.completion_tokens:,} out"
    terminal.say(f"{report.requests} requests, {sums}, {cost}.", DIM)


def _write_check(check: Check) -> None:
    write_line("probe.check", name=check.name, level=check.level, text=check.text, facts=dict(check.facts))


def _write_report(report: ProbeReport) -> None:
    write_line(
        "probe.completed",
        endpoint=report.endpoint,
        model=report.model,
        verdict=report.verdict,
        text=report.summary,
        learned=dict(report.learned),
        window=report.window,
        requests=report.requests,
        usage=usage_fields(report.usage),
    )
