"""How long kcode takes to start, to send its first request, and to end: `python -m bench.startup KCODE [ROUNDS]`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.scripted import Row, clean_environment, endpoint, make_repository, show, spread, timed

FORBIDDEN = {"openai", "textual", "git", "tree_sitter", "jsonschema"}
REQUEST_FACTOR, EXIT_SECONDS = 1.25, 0.1


def modules_loaded(python: str, option: str, environment: dict[str, str]) -> set[str]:
    """Every module that `kcode OPTION` imports."""
    done = subprocess.run(
        [python, "-X", "importtime", "-m", "kcode", option], env=environment, capture_output=True, text=True, check=True
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def first_request(kcode: str, folder: Path, home: Path) -> tuple[float, float]:
    """Seconds from the start to the first request, and from the reply's last byte to the exit."""
    with endpoint([{"reasoning": "Nothing to do.", "text": "All is well."}]) as served:
        run = timed([kcode, "fix", "is anything wrong?"], folder, clean_environment(home, served.url))
        if len(served.departures) != 1:
            raise SystemExit(
                f"kcode fix sent {len(served.arrivals)} requests, exit {run.exit_code}: {run.stderr[-500:]}"
            )
        return served.arrivals[0] - run.started, run.ended - served.departures[0]


def main(kcode: str, rounds: int) -> bool:
    """Measure all in turns, so that a busy moment hits every row alike; True when every bound is kept."""
    python = str(Path(kcode).with_name("python"))
    programs = {
        "python -c pass": [python, "-c", "pass"],
        "python -c 'import openai'": [python, "-c", "import openai"],
        "kcode --version": [kcode, "--version"],
        "kcode --help": [kcode, "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    requests: list[float] = []
    ends: list[float] = []
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch:
        home = Path(scratch) / "home"
        folder = make_repository(Path(scratch) / "repository", 60)
        environment = clean_environment(home)
        for round_ in range(-1, rounds):
            measured = {name: timed(argv, folder, environment).wall for name, argv in programs.items()}
            sent, ended = first_request(kcode, folder, home)
            if round_ >= 0:  # the first round fills the caches
                for name, seconds in measured.items():
                    times[name].append(seconds)
                requests.append(sent)
                ends.append(ended)
        loaded = {option: modules_loaded(python, option, environment) for option in ("--version", "--help")}
    sdk = median(times["python -c 'import openai'"])
    rows = [Row(name, spread(values)) for name, values in times.items()]
    for option, modules in loaded.items():
        row = Row(f"modules of kcode {option}", str(len(modules)), "none that is heavy", not FORBIDDEN & modules)
        rows.append(row)
    ratio = median(requests) / sdk
    rows += [
        Row("start to first request of kcode fix", spread(requests)),
        Row("  ... over 'import openai'", f"{ratio:.2f}", f"<= {REQUEST_FACTOR}", ratio <= REQUEST_FACTOR),
        Row("last byte to exit", spread(ends), f"<= {EXIT_SECONDS} s", median(ends) <= EXIT_SECONDS),
    ]
    return show(rows)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()), int(sys.argv[2]) if len(sys.argv) > 2 else 7)
