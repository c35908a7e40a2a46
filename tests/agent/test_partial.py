from __future__ import annotations

import asyncio
import subprocess
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from kcode.agent.bisect import BisectEnd, ProbeFinished, bisect
from kcode.draft.selection import keys_of
from kcode.errors import StaleError
from kcode.results import CommandEnd
from kcode.sandbox import UNISOLATED
from kcode.testing.verdict import Verdict, failing
from tests.agent.proposals import Bench, edit, make_bench, text_state
from tests.repositories import picture

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kcode.results import TestReport


@pytest.fixture(params=["overlay", "copy"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    backend: Literal["overlay", "copy"] = request.param
    made = make_bench(tmp_path, backend)
    if made is None:
        pytest.skip(f"no command can be isolated over a draft with the {backend} backend here")
    return made


def run(bench: Bench, chosen: Collection[str], seconds: float = 60) -> TestReport:
    return asyncio.run(bench.tests.run(bench.propose(), chosen, seconds=seconds))


def left_behind(bench: Bench) -> list[Path]:
    return list(bench.tests.folder.glob("partial-*"))


def test_the_tests_tell_of_the_chosen_hunks_and_leave_everything_else_alone(bench: Bench) -> None:
    edit(bench.draft, "one/a.txt", ("line 1\n", "bad 1\n"), ("line 9\n", "good 9\n"))
    edit(bench.draft, "two/c.txt", ("line 5\n", "bad 5\n"))
    bench.draft.write("check.sh", text_state("exit 9\n", executable=True), "write_file")
    a, c = bench.key("one/a.txt"), bench.key("two/c.txt")
    files, draft = picture(bench.root), picture(bench.draft.folder)
    expected = {(): set(), (a,): {"one"}, (c,): {"two"}, (a, c): {"one", "two"}, (bench.key("one/a.txt", 1),): set()}
    for chosen, names in expected.items():
        report = run(bench, chosen)
        assert (set(failing(report)), report.ok) == (names, not names)
        assert report.passed == 3 - len(names)
    assert run(bench, keys_of(bench.propose().changes[0])).result.exit_code == 9
    assert (picture(bench.root), picture(bench.draft.folder)) == (files, draft)
    assert left_behind(bench) == []


def test_no_run_sees_what_another_one_or_the_sessions_own_commands_wrote(bench: Bench) -> None:
    (bench.root / ".gitignore").write_text("built/\n")
    (bench.root / "built").mkdir()
    bench.draft.write("built/of the draft", text_state("x"), "`make`")
    edit(bench.draft, "one/a.txt", ("line 1\n", "other\n"))
    command = "ls built 2>/dev/null; mkdir -p built; echo x > built/by-the-tests; echo y > new.txt; echo z > one/b.txt"
    tests = replace(bench.tests, test_command=command)
    for _ in range(2):
        report = asyncio.run(tests.run(bench.propose(), [bench.key("one/a.txt")]))
        assert (report.result.output, report.result.changed) == ("", ())
    assert [change.path for change in bench.draft.changes()] == ["one/a.txt"]


def test_a_file_that_the_user_changed_meanwhile_is_named(bench: Bench) -> None:
    edit(bench.draft, "one/a.txt", ("line 1\n", "bad 1\n"))
    edit(bench.draft, "two/c.txt", ("line 5\n", "bad 5\n"))
    proposal, one, two = bench.propose(), bench.key("one/a.txt"), bench.key("two/c.txt")
    (bench.root / "one/a.txt").write_text("mine\n")
    with pytest.raises(StaleError, match=r"one/a\.txt changed"):
        asyncio.run(bench.tests.run(proposal, [one]))
    assert failing(asyncio.run(bench.tests.run(proposal, [two]))) == {"two"}
    assert left_behind(bench) == []


def test_a_hunk_that_would_undo_the_users_own_change_is_not_tested(bench: Bench) -> None:
    edit(bench.draft, "one/a.txt", ("line 1\n", "bad 1\n"))
    edit(bench.draft, "two/c.txt", ("line 5\n", "bad 5\n"))
    (bench.root / "one/a.txt").write_text("mine\n")
    with pytest.raises(StaleError, match=r"one/a\.txt changed .* conflicts"):
        run(bench, [bench.key("one/a.txt"), bench.key("two/c.txt")])
    assert failing(run(bench, [bench.key("two/c.txt")])) == {"two"}


def test_an_interrupted_run_ends_at_once_and_leaves_nothing(bench: Bench) -> None:
    edit(bench.draft, "one/a.txt", ("line 1\n", "bad 1\n"))
    mark = f"mark-{uuid.uuid4().hex}"
    tests = replace(bench.tests, test_command=f"echo started; sh -c 'sleep 600; : {mark}'")

    async def interrupt() -> None:
        started = asyncio.Event()
        proposal = bench.propose()
        work = asyncio.create_task(tests.run(proposal, keys_of(proposal.changes[0]), on_output=lambda _: started.set()))
        await asyncio.wait_for(started.wait(), 60)
        assert left_behind(bench) != []
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()

    asyncio.run(interrupt())
    assert left_behind(bench) == []
    assert subprocess.run(["pgrep", "-f", mark], capture_output=True, check=False).returncode == 1


def test_a_run_that_takes_too_long_is_ended(bench: Bench) -> None:
    edit(bench.draft, "one/a.txt", ("line 1\n", "bad 1\n"))
    tests = replace(bench.tests, test_command="sleep 600")
    report = asyncio.run(tests.run(bench.propose(), [], seconds=0.2))
    assert report.result.end is CommandEnd.TIMEOUT


def test_bisect_finds_the_hunks_that_break_a_test_though_some_cannot_be_tested_apart(bench: Bench) -> None:
    edit(bench.draft, "one/a.txt", ("line 1\n", "half 1\n"), ("line 9\n", "good 9\n"))
    edit(bench.draft, "one/b.txt", ("line 1\n", "half bad\n"), ("line 9\n", "good 9\n"))
    edit(bench.draft, "two/c.txt", ("line 5\n", "fine\n"))
    proposal = bench.propose()
    events: list[ProbeFinished] = []

    async def probe(keys: frozenset[str]) -> TestReport:
        return await bench.tests.run(proposal, keys)

    files = [keys_of(change) for change in proposal.changes]
    found = asyncio.run(
        bisect(probe, files, on_probe=lambda event: events.append(event) if isinstance(event, ProbeFinished) else None)
    )
    assert (found.end, found.wanted, set(found.tests)) == (BisectEnd.FOUND, Verdict.FAIL, {"one"})
    assert found.keys == {bench.key("one/a.txt"), bench.key("one/b.txt")}
    assert [event.number for event in events] == list(range(1, found.runs + 1))
    assert Verdict.UNRESOLVED in {event.verdict for event in events}
    assert left_behind(bench) == []


def test_without_isolation_the_tests_run_over_the_same_files(tmp_path: Path) -> None:
    made = make_bench(tmp_path, "copy")
    if made is None:
        pytest.skip("no command can be isolated here, so that is what the other tests did")
    edit(made.draft, "one/a.txt", ("line 1\n", "bad 1\n"), ("line 9\n", "good 9\n"))
    files = picture(made.root)
    open_bench = replace(made, tests=replace(made.tests, sandbox=UNISOLATED))
    assert failing(run(open_bench, [made.key("one/a.txt")])) == {"one"}
    assert failing(run(open_bench, [made.key("one/a.txt", 1)])) == set()
    assert picture(made.root) == files
    assert left_behind(made) == []
