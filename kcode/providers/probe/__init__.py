"""What an endpoint really does, found out by a handful of small requests: `tasks` asks, `raw` looks, `judge` says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kcode.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.results import Failure

Level = Literal["ok", "weak", "bad", "unknown"]
Verdict = Literal["good", "usable", "unfit", "unfinished"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `unknown` is what could not be found out, neither passed nor failed.

    `text` is for people, `facts` are the figures in it. `short` names a weakness in the verdict's words.
    """

    name: str
    level: Level
    text: str
    facts: Mapping[str, object] = field(default_factory=dict)
    short: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All that a probe found out, also one that was cut short.

    `learned` holds fields of the endpoint's `Dialect` that the replies showed to be other than they are set, `window`
    the context that the endpoint claims where that is smaller than kcode's figure. `usage` is the sum of all requests.
    """

    endpoint: str
    model: str
    checks: tuple[Check, ...]
    verdict: Verdict
    summary: str
    learned: Mapping[str, object] = field(default_factory=dict)
    window: int | None = None
    requests: int = 0
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None


def as_toml(report: ProbeReport) -> str:
    """What was learned as lines for `config.toml`; "" when nothing was."""
    lines = []
    if report.window is not None:
        lines += [f"[endpoints.{report.endpoint}]", f"window = {report.window}"]
    if report.learned:
        lines.append(f"[endpoints.{report.endpoint}.dialect]")
        lines += [f"{name} = {_spelled(value)}" for name, value in sorted(report.learned.items())]
    return "\n".join(lines)


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
