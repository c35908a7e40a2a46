"""Reading `go test -json`."""

from __future__ import annotations

import json
from collections import defaultdict

from kcode.testing.outcome import Outcome, failure, unique


def read_go(data: bytes) -> tuple[Outcome | None, str]:
    """What the run came to, None for no such JSON, and what `go test` would have printed."""
    output: dict[tuple[str, str], list[str]] = defaultdict(list)
    verdicts: dict[tuple[str, str], str] = {}
    printed: list[str] = []
    for line in data.splitlines():
        try:
            record = json.loads(line)
            action, key = record["Action"], (record.get("Package", ""), record.get("Test", ""))
        except (ValueError, KeyError, TypeError):
            continue
        if action in {"output", "build-output"}:
            text = str(record.get("Output", ""))
            output[key].append(text)
            printed.append(text)
        elif action in {"pass", "fail", "skip"}:
            verdicts[key] = action
    if not verdicts:
        return None, "".join(printed)
    tests = {key: verdict for key, verdict in verdicts.items() if key[1]}
    broken = {package for (package, test), verdict in tests.items() if verdict == "fail"}
    failures = [
        failure(f"{package}.{test}", "".join(output[package, test]))
        for (package, test), verdict in tests.items()
        if verdict == "fail" and not _has_failing_part(tests, package, test)
    ]
    # A package that fails without a failing test did not compile, or its process died.
    failures += [
        failure(package, "".join(output[package, ""]))
        for (package, test), verdict in verdicts.items()
        if not test and verdict == "fail" and package not in broken
    ]
    counts = [verdict for (package, test), verdict in tests.items() if not _has_parts(tests, package, test)]
    ran = frozenset(f"{package}.{test}" for (package, test), verdict in tests.items() if verdict != "skip")
    outcome = Outcome(counts.count("pass"), len(failures), counts.count("skip"), unique(failures), ran)
    return outcome, "".join(printed)


def _has_parts(tests: dict[tuple[str, str], str], package: str, test: str) -> bool:
    return any(p == package and name.startswith(f"{test}/") for p, name in tests)


def _has_failing_part(tests: dict[tuple[str, str], str], package: str, test: str) -> bool:
    return any(
        p == package and name.startswith(f"{test}/") and verdict == "fail" for (p, name), verdict in tests.items()
    )
