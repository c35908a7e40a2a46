from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import pytest

from kcode.context.search import Query, Searched, find_ripgrep, search_files
from kcode.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.tooling import Match

RIPGREP = find_ripgrep(os.environ)


@pytest.fixture(params=["ripgrep", "plain"])
def program(request: pytest.FixtureRequest) -> str | None:
    """Each test of a search runs with ripgrep and without."""
    if request.param == "ripgrep" and RIPGREP is None:
        pytest.skip("there is no ripgrep here")
    return RIPGREP if request.param == "ripgrep" else None


def find(
    root: Path, program: str | None, query: Query, changed: dict[str, Path | None] | None = None
) -> tuple[list[Match], bool]:
    gone = changed or {}

    def files() -> list[str]:
        found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        found |= {path for path, file in gone.items() if file is not None}
        return sorted(path for path in found if not path.startswith(".git/"))

    return asyncio.run(search_files(query, Searched(root, files, gone), program))


def places(matches: list[Match]) -> list[str]:
    return [f"{match.path}{'-' if match.is_context else ':'}{match.line}" for match in matches]


def test_matches_come_in_path_order_with_their_lines(tmp_path: Path, program: str | None) -> None:
    for name in ("b.py", "a/z.py", "a-b/x.py", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no\nneedle here\n")
    matches, more = find(tmp_path, program, Query("needle"))
    assert not more
    assert places(matches) == [".hidden:2", "a/z.py:2", "a-b/x.py:2", "b.py:2"]
    assert {match.text for match in matches} == {"needle here"}


def test_git_folders_are_never_searched(tmp_path: Path, program: str | None) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("needle\n")
    (tmp_path / "a").write_text("needle\n")
    assert places(find(tmp_path, program, Query("needle"))[0]) == ["a:1"]
    assert places(find(tmp_path, program, Query("needle", glob="*"))[0]) == ["a:1"]


@pytest.mark.skipif(RIPGREP is None, reason="the plain search is given the files that are not ignored")
def test_ignored_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "a").write_text("needle\n")
    (tmp_path / "a").write_text("needle\n")
    assert places(find(tmp_path, RIPGREP, Query("needle"))[0]) == ["a:1"]


def test_path_glob_and_case_narrow_the_search(tmp_path: Path, program: str | None) -> None:
    for name in ("src/a.py", "src/a.js", "other/b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Needle\n")
    assert places(find(tmp_path, program, Query("Needle", path="src"))[0]) == ["src/a.js:1", "src/a.py:1"]
    assert places(find(tmp_path, program, Query("Needle", path="src/a.py"))[0]) == ["src/a.py:1"]
    assert places(find(tmp_path, program, Query("Needle", glob="*.py"))[0]) == ["other/b.py:1", "src/a.py:1"]
    assert places(find(tmp_path, program, Query("Needle", glob="src/*.py"))[0]) == ["src/a.py:1"]
    assert places(find(tmp_path, program, Query("Needle", glob="!*.py"))[0]) == ["src/a.js:1"]
    assert find(tmp_path, program, Query("needle"))[0] == []
    assert len(find(tmp_path, program, Query("needle", ignore_case=True))[0]) == 3


def test_what_the_draft_changed_is_searched_as_it_is_there(tmp_path: Path, program: str | None) -> None:
    root, upper = tmp_path / "root", tmp_path / "upper"
    for folder in (root, upper):
        folder.mkdir()
    for name in ("changed", "deleted", "same"):
        (root / name).write_text("needle old\n")
    (upper / "changed").write_text("other\nneedle new\n")
    (upper / "new.py").write_text("needle new\n")
    (upper / "link").symlink_to("/etc/passwd")
    changed = {
        "changed": upper / "changed",
        "deleted": None,
        "sub/new.py": upper / "new.py",
        "link": upper / "link",
    }
    matches, _ = find(root, program, Query("needle|root:"), changed)
    assert [(match.path, match.line, match.text) for match in matches] == [
        ("changed", 2, "needle new"),
        ("same", 1, "needle old"),
        ("sub/new.py", 1, "needle new"),
    ]
    assert places(find(root, program, Query("needle", path="sub"), changed)[0]) == ["sub/new.py:1"]
    assert places(find(root, program, Query("needle", glob="*.py"), changed)[0]) == ["sub/new.py:1"]


def test_context_lines_are_marked(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "a").write_text("1\n2\n3\n4\n5\n6\n")
    matches, _ = find(tmp_path, program, Query("3|5", context=1))
    assert places(matches) == ["a-2", "a:3", "a-4", "a:5", "a-6"]


def test_more_than_the_limit_is_cut_and_told(tmp_path: Path, program: str | None) -> None:
    for name in "abc":
        (tmp_path / name).write_text("needle\n" * 4)
    matches, more = find(tmp_path, program, Query("needle", limit=6))
    assert more
    assert places(matches) == ["a:1", "a:2", "a:3", "a:4", "b:1", "b:2"]
    matches, more = find(tmp_path, program, Query("needle", limit=4, context=2))
    assert more
    assert {match.path for match in matches} == {"a"}
    assert not find(tmp_path, program, Query("needle", limit=12))[1]


def test_an_enormous_result_ends_early(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "a").write_text("x\n" * 2_000_000)
    begin = time.monotonic()
    matches, more = find(tmp_path, program, Query("x"))
    assert more
    assert len(matches) == 100
    assert time.monotonic() - begin < 20


def test_a_very_long_line_is_shown_around_the_match(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "min.js").write_text("é" * 300_000 + "needle" + "é" * 300_000)
    (match,), _ = find(tmp_path, program, Query("needle"))
    assert "needle" in match.text
    assert len(match.text) < 1_100


def test_binary_crlf_and_odd_bytes(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "bin").write_bytes(b"\0needle\n")
    (tmp_path / "crlf").write_bytes(b"needle\r\n")
    (tmp_path / "latin").write_bytes(b"caf\xe9 needle\n")
    (tmp_path / "utf16").write_bytes("needle\n".encode("utf-16"))
    found = {match.path: match.text for match in find(tmp_path, program, Query("needle"))[0]}
    assert found == {"crlf": "needle", "latin": "caf\ufffd needle", "utf16": "needle"}


@pytest.mark.parametrize("pattern", [r"foo(?=\()", r"(o)\1\("])
def test_look_around_and_back_references_are_found_all_the_same(
    tmp_path: Path, program: str | None, pattern: str
) -> None:
    (tmp_path / "a").write_text("foo\nfoo(1)\n")
    assert places(find(tmp_path, program, Query(pattern))[0]) == ["a:2"]


def test_a_pattern_that_is_no_regular_expression_is_explained(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "a").write_text("x\n")
    with pytest.raises(ToolError, match=r"not a valid regular expression.*[Uu]n"):
        find(tmp_path, program, Query("f("))
    with pytest.raises(ToolError, match="'\\['"):
        find(tmp_path, program, Query("x", glob="[a"))
    with pytest.raises(ToolError, match="no file or folder"):
        find(tmp_path, program, Query("x", path="absent"))


def test_a_pattern_that_looks_like_an_option_is_a_pattern(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "-a").write_text("--files\n")
    assert places(find(tmp_path, program, Query("--files"))[0]) == ["-a:1"]
    assert places(find(tmp_path, program, Query("--files", path="-a"))[0]) == ["-a:1"]


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path, program: str | None) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("needle\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "door").symlink_to(tmp_path / "outside")
    assert find(tmp_path / "work", program, Query("needle"))[0] == []
    with pytest.raises(ToolError, match="outside"):
        find(tmp_path / "work", program, Query("needle", path="door"))


def test_a_pattern_that_would_take_years_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a" * 60 + "b\n")
    with pytest.raises(ToolError, match="simpler pattern"):
        find(tmp_path, None, Query("(a+)+$", seconds=0.5))


def test_a_search_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a" * 60 + "b\n")

    async def cancel() -> None:
        query, searched = Query("(a+)+$"), Searched(tmp_path, lambda: ["a"], {})
        task = asyncio.ensure_future(search_files(query, searched, None))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    begin = time.monotonic()
    asyncio.run(cancel())
    assert time.monotonic() - begin < 5


def test_a_ripgrep_of_the_workspace_is_never_run(tmp_path: Path) -> None:
    fake = tmp_path / "work" / "bin" / "rg"
    fake.parent.mkdir(parents=True)
    fake.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho ripgrep 15\n")
    fake.chmod(0o755)
    assert find_ripgrep({"PATH": f"{fake.parent}:bin"}, tmp_path / "work") != str(fake)
    assert not (tmp_path / "ran").exists()
    assert find_ripgrep({"PATH": str(fake.parent)}) == str(fake)


def test_a_broken_ripgrep_on_the_path_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "rg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert find_ripgrep({"PATH": str(tmp_path)}) != str(broken)
