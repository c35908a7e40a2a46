"""Reading what the runners of Python, JavaScript, Ruby, PHP and Elixir print; each gives None without its summary."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from kcode.testing.outcome import Outcome, failure, unique
from kcode.testing.sections import count, lines_like, named, sections

if TYPE_CHECKING:
    from kcode.results import TestFailure


def read_pytest(text: str) -> Outcome | None:
    kinds = "failed|passed|skipped|errors?|xfailed|xpassed|deselected|warnings?|rerun"
    summaries = lines_like(rf"^(?:=+ )?(?:\d+ (?:{kinds})(?:, )?)+ in [\d.]+s.*$|^(?:=+ )?no tests ran in .*$", text)
    if not summaries:
        return None
    summary = "\n".join(summaries)
    bodies = dict(sections(r"^_{3,} (?:ERROR (?:at \w+ of|collecting) )?(.+?) _{3,}$", r"^(?:=|-){3,} ", text))
    failures = []
    for name in re.findall(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", text, re.MULTILINE):
        path, _, inner = name.partition("::")
        failures.append(failure(name, bodies.get(inner.replace("::", "."), bodies.get(path, ""))))
    passed = count(summary, "passed", "xpassed")
    skipped = count(summary, "skipped", "xfailed")
    return Outcome(passed, count(summary, "failed", "errors?"), skipped, unique(failures))


def read_unittest(text: str) -> Outcome | None:
    runs = re.findall(r"^Ran (\d+) tests? in .*\n+((?:OK|FAILED|NO TESTS RAN).*)$", text, re.MULTILINE)
    if not runs:
        return None
    total = sum(int(count) for count, _ in runs)
    told: Counter[str] = Counter()
    for _, verdict in runs:
        told.update({word: int(number) for word, number in re.findall(r"([a-z][a-z ]*)=(\d+)", verdict)})
    failed = told["failures"] + told["errors"] + told["unexpected successes"]
    skipped = told["skipped"] + told["expected failures"]
    failures = [
        failure(_unittest_name(title), body.split("\n\n" + "-" * 70)[0].lstrip("-\n"))
        for title, body in sections(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.+)$", r"^={70}$|^Ran \d+ tests?", text)
    ]
    # Python 3.12.1 leaves the skipped out of what ran; then the lines of -v tell.
    passed = max(total - failed - skipped, len(lines_like(r" \.\.\. ok$", text)))
    return Outcome(max(0, passed), failed, skipped, unique(failures))


def _unittest_name(title: str) -> str:
    """`test_b (module.TestA.test_b)` and, before Python 3.11, `test_b (module.TestA)`, as the dotted name."""
    match = re.match(r"(\S+) \((\S+)\)", title)
    if not match:
        return title
    name, owner = match[1], match[2].removeprefix("unittest.loader._FailedTest.")
    return owner if f".{owner}".endswith(f".{name}") else f"{owner}.{name}"


# What node adds to each point besides the error, where it was thrown and from where.
_TAP_NOISE = r"^\s*(?:---|(?:duration_ms|type|failureType|code|name):.*| *(?:at )?[^\n]*(?:\bnode:internal/).*)\n?"


def read_tap(text: str) -> Outcome | None:
    points = list(re.finditer(r"^( *)(not )?ok\b *(\d*) *(?:- )?([^\n]*)$", text, re.MULTILINE))
    if not points or not re.search(r"^ *1\.\.\d+|^TAP version", text, re.MULTILINE):
        return None
    passed = failed = skipped = 0
    failures: list[TestFailure] = []
    for index, point in enumerate(points):
        indent, bad, _, rest = point.groups()
        name, _, directive = rest.partition(" # ")
        stop = points[index + 1].start() if index + 1 < len(points) else len(text)
        body = text[point.end() : stop]
        # A group of subtests is told after them, by a point that stands less deep.
        if re.search(r"type: 'suite'|failureType: 'subtestsFailed'", body.partition("\n" + indent + "  ...")[0]):
            continue
        if directive[:4].upper() in {"SKIP", "TODO"}:
            skipped += 1
        elif bad:
            failed += 1
            said = body.partition("\n" + indent + "  ...")[0]
            failures.append(
                failure(name.strip() or f"test {point[3]}", re.sub(_TAP_NOISE, "", said, flags=re.MULTILINE))
            )
        else:
            passed += 1
    return Outcome(passed, failed, skipped, unique(failures))


def read_node_spec(text: str) -> Outcome | None:
    if not re.search(r"^\u2139 tests \d+$", text, re.MULTILINE):
        return None
    counts = {
        word: int(n) for word, n in re.findall(r"^\u2139 (pass|fail|cancelled|skipped|todo) (\d+)$", text, re.MULTILINE)
    }
    _, _, listing = text.partition("✖ failing tests:")
    failures = [
        failure(name, body)
        for name, body in sections(r"^✖ (.+?)(?: \([\d.]+ms\))?$", r"^(?:\u2139 |test at )", listing)
    ]
    failed = counts.get("fail", 0) + counts.get("cancelled", 0)
    return Outcome(counts.get("pass", 0), failed, counts.get("skipped", 0) + counts.get("todo", 0), unique(failures))


def read_jest(text: str) -> Outcome | None:
    summaries = lines_like(r"^Tests:\s+.*\d+ total$", text)
    suites = lines_like(r"^Test Suites:\s+.*\d+ total$", text)
    if not summaries and not suites:
        return None
    summary = "\n".join(summaries)
    failures = [
        failure(f"{file} \u203a {name}", body)
        for file, told in sections(r"^FAIL (\S+)", r"^(?:PASS|Test Suites:) ", text)
        for name, body in sections(r"^  ● (?!Console)(.+)$", r"^  ● Console", told)
    ]
    # A suite that cannot be loaded has no tests to count.
    broken = len({one.name for one in failures if one.name.endswith("Test suite failed to run")})
    failed = count(summary, "failed") + broken
    return Outcome(count(summary, "passed"), failed, count(summary, "skipped", "todo"), unique(failures))


def read_vitest(text: str) -> Outcome | None:
    summaries = lines_like(r"^\s+Tests\s+.*\(\d+\)$", text)
    if not summaries and not re.search(r"^\s+Test Files\s+.*\(\d+\)$", text, re.MULTILINE):
        return None
    summary = "\n".join(summaries)
    found = sections(r"^ (?:FAIL|\u276f FAIL)\s+(.+)$", r"^⎯+|^ Test Files ", text)
    failures = [failure(name, body) for name, body in found]
    # A file that cannot be loaded has no tests to count.
    failed = count(summary, "failed") + sum(int(number) for number in re.findall(r"Failed Suites (\d+)", text))
    return Outcome(count(summary, "passed"), failed, count(summary, "skipped", "todo"), unique(failures))


def read_mocha(text: str) -> Outcome | None:
    if not re.search(r"^\s+\d+ passing \(\S+\)$", text, re.MULTILINE):
        return None
    summary = "\n".join(lines_like(r"^\s+\d+ (?:passing|failing|pending)\b.*$", text))
    _, _, listing = text.partition(" failing\n")
    failures = [
        failure(" ".join(title.split()), body)
        for title, body in re.findall(
            r"^  \d+\) (.+?(?:\n {6,}.+?)*?):\n(.*?)(?=^  \d+\) |\Z)", listing, re.MULTILINE | re.DOTALL
        )
    ]
    return Outcome(count(summary, "passing"), count(summary, "failing"), count(summary, "pending"), unique(failures))


def read_rspec(text: str) -> Outcome | None:
    summaries = lines_like(r"^\d+ examples?, \d+ failures?.*$", text)
    if not summaries:
        return None
    summary = "\n".join(summaries)
    failed = count(summary, "failures?") + _before(summary, "errors? occurred outside")
    pending = count(summary, "pending")
    names = re.findall(r"^rspec (\S+) # (.+)$", text, re.MULTILINE)
    bodies = dict(sections(r"^  \d+\) (.+)$", r"^(?:Finished in|Failed examples:)", text))
    failures = [failure(f"{where} {name}", bodies.get(name, "")) for where, name in names]
    return Outcome(
        max(0, count(summary, "examples?") - count(summary, "failures?") - pending), failed, pending, unique(failures)
    )


def _before(text: str, words: str) -> int:
    return sum(int(number) for number in re.findall(rf"\b(\d+) {words}", text))


def read_minitest(text: str) -> Outcome | None:
    """Minitest says runs, test-unit says tests."""
    summaries = lines_like(r"^\d+ (?:runs|tests), \d+ assertions, .*$", text)
    if not summaries:
        return None
    summary = "\n".join(summaries)
    failed, skipped = count(summary, "failures", "errors"), count(summary, "skips", "pendings", "omissions")
    found = sections(r"^(?:\s+\d+\) )?((?:Failure|Error):.*)$", r"^\d+ (?:runs|tests), ", text)
    failures = [failure(_minitest_name(title, body), body) for title, body in found]
    return Outcome(max(0, count(summary, "runs", "tests") - failed - skipped), failed, skipped, unique(failures))


def _minitest_name(title: str, body: str) -> str:
    """Minitest names the test in the line after `Failure:`, test-unit beside it."""
    return title.partition(":")[2].strip() or body.strip().partition("\n")[0].partition(" [")[0]


def read_phpunit(text: str) -> Outcome | None:
    good = re.findall(r"^OK \((\d+) tests?, \d+ assertions?\)$", text, re.MULTILINE)
    bad = lines_like(r"^Tests: \d+, Assertions: \d+.*$", text)
    if not good and not bad:
        return None
    summary = "\n".join(bad)
    total = sum(int(number) for number in good) + named(summary, "Tests")
    failed = named(summary, "Failures") + named(summary, "Errors")
    skipped = named(summary, "Skipped") + named(summary, "Incomplete")
    failures = [
        failure(name, body) for name, body in sections(r"^\d+\) (\S+::.+)$", r"^--$|^(?:FAILURES|ERRORS)!", text)
    ]
    return Outcome(max(0, total - failed - skipped), failed, skipped, unique(failures))


def read_mix(text: str) -> Outcome | None:
    summaries = lines_like(r"^(?:\d+ doctests?, )?\d+ tests?, \d+ failures?.*$", text)
    if not summaries:
        return None
    summary = "\n".join(summaries)
    failed, skipped = count(summary, "failures?"), count(summary, "skipped", "excluded")
    failures = [failure(name, body) for name, body in sections(r"^ +\d+\) (.+)$", r"^Finished in ", text)]
    return Outcome(max(0, count(summary, "tests?", "doctests?") - failed - skipped), failed, skipped, unique(failures))


def read_deno(text: str) -> Outcome | None:
    summaries = lines_like(r"^(?:ok|FAILED) \| \d+ passed.* \| \d+ failed.*$", text)
    if not summaries:
        return None
    summary = "\n".join(summaries)
    found = sections(r"^(.+? => \S+:\d+:\d+)$", r"^ ?(?:FAILURES|ERRORS) *$|^(?:ok|FAILED) \|", text)
    failures = [failure(name, body) for name, body in found if body.strip()]
    return Outcome(count(summary, "passed"), count(summary, "failed"), count(summary, "ignored"), unique(failures))
