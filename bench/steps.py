"""Whether a long turn stays fast and small: `python -m bench.steps KCODE [STEPS]`."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from bench.scripted import Row, clean_environment, endpoint, make_repository, show, timed

if TYPE_CHECKING:
    from bench.scripted import Dialect, Endpoint, Run

CPU_SECONDS, SLOWDOWN, PEAK_MIB, GROWTH_MIB = 0.008, 1.3, 110, 30
ROUNDS, EDGE = 3, 50


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answers: how it spells the reasoning, and a model whose family settles how calls are numbered."""

    dialect: Dialect = "reasoning_content"
    model: str = "kimi-k2-thinking"


KIMI = Speaker()
OTHERS = {
    "reasoning": Speaker("reasoning"),
    "reasoning_details": Speaker("reasoning_details"),
    "thoughts between tags": Speaker("think"),
    "ids kept": Speaker(model="another-model"),
}


def turn(kcode: str, folder: Path, home: Path, steps: int, speaker: Speaker = KIMI) -> tuple[Run, Endpoint]:
    """One `kcode fix` that reads so many files, one a step, and then answers."""
    reads: list[dict[str, Any]] = [
        {
            "reasoning": f"Looking at module {number} next.",
            "calls": [{"name": "read_file", "arguments": {"path": f"shop/module_{number}.py"}}],
            "usage": {"prompt_tokens": 1000 + 10 * number, "completion_tokens": 20},
        }
        for number in range(steps)
    ]
    with endpoint([*reads, {"reasoning": "Nothing to do.", "text": "All is well."}], speaker.dialect) as served:
        argv = [kcode, "fix", "is anything wrong?", "--max-steps", str(steps + 5)]
        run = timed(argv, folder, clean_environment(home, served.url, speaker.model), served)
    if len(served.arrivals) != steps + 1:
        raise SystemExit(f"kcode fix sent {len(served.arrivals)} requests, exit {run.exit_code}: {run.stderr[-500:]}")
    return run, served


@dataclass(frozen=True, slots=True)
class Measured:
    """One long turn: seconds a step (CPU; wall of the first and the last steps), MiB at the peak and of growth."""

    cpu: float
    first: float
    last: float
    peak: float
    growth: float


def measure(kcode: str, folder: Path, home: Path, steps: int) -> Measured:
    """Compare a long turn with one that has no steps, so that start and end do not count."""
    idle, _ = turn(kcode, folder, home, 0)
    run, served = turn(kcode, folder, home, steps)
    first, last = edges(served)
    return Measured(
        cpu=(run.cpu - idle.cpu) / steps,
        first=first,
        last=last,
        peak=served.peak,
        growth=served.memory[-1] - served.memory[0],
    )


def edges(served: Endpoint) -> tuple[float, float]:
    """Seconds a step, of the first and of the last steps."""
    walls = [after - before for before, after in pairwise(served.arrivals)]
    edge = min(EDGE, len(walls) // 2)
    return mean(walls[:edge]), mean(walls[-edge:])


def slowdown_of(kcode: str, folder: Path, home: Path, steps: int, speaker: Speaker) -> float:
    """The last steps over the first, where the endpoint speaks so."""
    found = (edges(turn(kcode, folder, home, steps, speaker)[1]) for _ in range(ROUNDS))
    return median(last / first for first, last in found)


def main(kcode: str, steps: int) -> bool:
    """Print the table; True when every bound is kept."""
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch:
        folder = make_repository(Path(scratch) / "repository", steps)
        home = Path(scratch) / "home"
        measured = [measure(kcode, folder, home, steps) for _ in range(ROUNDS)]
        slowdowns = {name: slowdown_of(kcode, folder, home, steps, speaker) for name, speaker in OTHERS.items()}
    cpu = median(m.cpu for m in measured)
    slowdown = median(m.last / m.first for m in measured)
    peak = median(m.peak for m in measured)
    growth = median(m.growth for m in measured)
    return show(
        [
            Row("CPU a step", f"{cpu * 1000:.1f} ms", f"<= {CPU_SECONDS * 1000:.0f} ms", cpu <= CPU_SECONDS),
            Row(f"wall a step, first {EDGE}", f"{median(m.first for m in measured) * 1000:.1f} ms"),
            Row(f"wall a step, last {EDGE}", f"{median(m.last for m in measured) * 1000:.1f} ms"),
            Row("  ... last over first", f"{slowdown:.2f}", f"<= {SLOWDOWN}", slowdown <= SLOWDOWN),
            *(
                Row(f"  ... last over first: {name}", f"{ratio:.2f}", f"<= {SLOWDOWN}", ratio <= SLOWDOWN)
                for name, ratio in slowdowns.items()
            ),
            Row("peak memory", f"{peak:.0f} MiB", f"< {PEAK_MIB} MiB", peak < PEAK_MIB),
            Row("growth of memory", f"{growth:.0f} MiB", f"< {GROWTH_MIB} MiB", growth < GROWTH_MIB),
        ]
    )


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
