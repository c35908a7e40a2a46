"""Reading what the runners of Rust, Go, Java, C# and CTest print; each gives None without its summary."""

from __future__ import annotations

import re

from kcode.testing.outcome import Outcome, failure, unique
from kcode.testing.sections import count, lines_like, sections


def read_cargo(text: str) -> Outcome | None:
    results = re.findall(r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored", text, re.MULTILINE)
    if not results:
        return None
    passed, failed, ignored = (sum(int(result[i]) for result in results) for i in range(3))
    bodies = dict(sections(r"^---- (.+?) stdout ----$", r"^failures:$|^test result: ", text))
    names = re.findall(r"^test (.+?) \.\.\. FAILED$", text, re.MULTILINE) or list(bodies)
    failures = [failure(name, _without_backtrace(bodies.get(name, ""))) for name in names]
    return Outcome(passed, failed, ignored, unique(failures))


def _without_backtrace(text: str) -> str:
    return text.partition("\nstack backtrace:")[0]


def read_go_text(text: str) -> Outcome | None:
    packages = re.findall(r"^(ok|FAIL)[ \t]+(\S+)[ \t]+(.*)$", text, re.MULTILINE)
    if not packages:
        return None
    bodies = dict(sections(r"^\s*--- FAIL: (\S+)", r"^(?:FAIL|ok|PASS)\b|^\s*(?:---|===) ", text))
    # A test fails with each of its parts, and the parts say why.
    names = [name for name in bodies if not any(other.startswith(f"{name}/") for other in bodies)]
    failures = [failure(name, bodies[name]) for name in names]
    failures += [failure(package, rest) for verdict, package, rest in packages if verdict == "FAIL" and rest[:1] == "["]
    passed = len(re.findall(r"^\s*--- PASS: ", text, re.MULTILINE)) or None
    skipped = len(re.findall(r"^\s*--- SKIP: ", text, re.MULTILINE)) or None
    return Outcome(passed, len(failures), skipped, unique(failures))


def read_maven(text: str) -> Outcome | None:
    """The totals come last, after one such line for each class."""
    totals = re.findall(
        r"^\[\w+\] Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$", text, re.MULTILINE
    )
    if not totals:
        return None
    total, failed, errors, skipped = (sum(int(row[i]) for row in totals) for i in range(4))
    found = re.findall(r"^\[ERROR\] {2,}(\w[\w.$]*[.:>][\w.$:>\[\]-]+)(.*)$", text, re.MULTILINE)
    failures = [failure(name.partition(":")[0], detail) for name, detail in found]
    return Outcome(total - failed - errors - skipped, failed + errors, skipped, unique(failures))


def read_gradle(text: str) -> Outcome | None:
    """Gradle counts only when something failed."""
    totals = lines_like(r"^\d+ tests? completed, .*$", text)
    found = sections(r"^(\S.* > .+) FAILED$", r"^\S", text)
    if not totals and not found:
        return None
    summary = "\n".join(totals)
    failures = [failure(name, body) for name, body in found]
    if not totals:
        return Outcome(None, len(failures), None, unique(failures))
    failed, skipped = count(summary, "failed"), count(summary, "skipped")
    total = count(summary, "tests? completed")
    return Outcome(max(0, total - failed - skipped), failed, skipped, unique(failures))


def read_dotnet(text: str) -> Outcome | None:
    totals = re.findall(r"Failed:\s+(\d+), Passed:\s+(\d+), Skipped:\s+(\d+), Total:", text)
    if not totals:
        return None
    failed, passed, skipped = (sum(int(row[i]) for row in totals) for i in range(3))
    found = sections(r"^\s+Failed (\S.*?) \[[^\]]+\]$", r"^\s+(?:Passed|Skipped) |^(?:Failed|Passed)!", text)
    return Outcome(passed, failed, skipped, unique([failure(name, body) for name, body in found]))


def read_ctest(text: str) -> Outcome | None:
    totals = re.findall(r"^\d+% tests passed, (\d+) tests? failed out of (\d+)$", text, re.MULTILINE)
    if not totals:
        return None
    failed, total = (sum(int(row[i]) for row in totals) for i in range(2))
    names = re.findall(r"^\s+\d+ - (.+?) \((?:Failed|Timeout|SEGFAULT|Not Run|\w+)\)", text, re.MULTILINE)
    return Outcome(total - failed, failed, None, unique([failure(name) for name in names]))
