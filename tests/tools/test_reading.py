"""The tools that read: read_file, list_files, search, outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.tooling import ToolResult

    Use = Callable[..., ToolResult]


def test_a_small_file_is_shown_whole_with_separable_numbers(use: Use, folder: Path) -> None:
    (folder / "a.py").write_text("def f():\n\treturn 1\n")
    assert use("read_file", path="a.py").text == "a.py, lines 1-2 of 2:\n1→def f():\n2→\treturn 1"


def test_a_long_file_is_read_in_pages_that_together_give_every_line(use: Use, folder: Path) -> None:
    lines = [f"line {i}" for i in range(1, 1001)]
    (folder / "long.txt").write_text("\n".join(lines) + "\n")
    seen: list[str] = []
    start = 1
    while start:
        text = use("read_file", path="long.txt", start=start).text
        seen += [line.partition("→")[2] for line in text.split("\n") if "→" in line]
        start = int(text.rpartition("start=")[2]) if "start=" in text else 0
    assert seen == lines


def test_a_page_of_wide_lines_is_bounded_by_its_size(use: Use, folder: Path) -> None:
    (folder / "wide.txt").write_text(("x" * 1900 + "\n") * 100)
    text = use("read_file", path="wide.txt").text
    assert len(text) < 18_000
    assert "read_file with start=" in text


def test_a_very_long_line_is_cut_and_says_so(use: Use, folder: Path) -> None:
    (folder / "min.js").write_text("a" * 50_000)
    text = use("read_file", path="min.js").text
    assert len(text) < 2_200
    assert "50,000 characters" in text


def test_a_range_is_read_and_a_wrong_one_explained(use: Use, folder: Path) -> None:
    (folder / "a.txt").write_text("1\n2\n3\n4\n5\n")
    assert use("read_file", path="a.txt", start=2, end=3).text.endswith("2→2\n3→3")
    assert use("read_file", path="a.txt", start=4, end=99).text.endswith("4→4\n5→5")
    assert use("read_file", path="a.txt", start=-2).text.endswith("4→4\n5→5")
    with pytest.raises(ToolError, match="only 5 lines"):
        use("read_file", path="a.txt", start=6)
    with pytest.raises(ToolError, match="end is before start"):
        use("read_file", path="a.txt", start=4, end=2)


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (b"a\r\nb\r\n", "CRLF line ends"),
        (b"a\r\nb\nc\n", "mixed CRLF and LF"),
        (b"a\nb", "no line end at the end"),
        (b"caf\xe9\n", "not UTF-8"),
        ("a\nb\n".encode("utf-16"), "UTF-16-LE"),
    ],
)
def test_what_is_unusual_about_a_file_stands_in_its_first_line(
    use: Use, folder: Path, data: bytes, remark: str
) -> None:
    (folder / "f").write_bytes(data)
    first, rest = use("read_file", path="f").text.split("\n", 1)
    assert remark in first
    assert "\r" not in rest


def test_empty_binary_missing_folder_and_huge_each_say_what_to_do(use: Use, folder: Path) -> None:
    (folder / "empty").write_bytes(b"")
    (folder / "logo.png").write_bytes(b"\x89PNG\0\0\0")
    (folder / "src").mkdir()
    (folder / "src" / "money.py").write_text("x = 1\n")
    with (folder / "huge.log").open("wb") as huge:
        huge.truncate(20_000_000)
    assert "is empty" in use("read_file", path="empty").text
    with pytest.raises(ToolError, match=r"binary file of 7 bytes.*run_command"):
        use("read_file", path="logo.png")
    with pytest.raises(ToolError, match=r"src/money\.py"):
        use("read_file", path="money.py")
    with pytest.raises(ToolError, match="list_files"):
        use("read_file", path="src")
    with pytest.raises(ToolError, match=r"20,000,000 bytes.*search"):
        use("read_file", path="huge.log")


def test_the_full_output_of_a_command_can_be_read(use: Use, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "7.txt").write_text("one\ntwo\n")
    assert "2→two" in use("read_file", path="/tmp/kcode-output/7.txt", start=2).text


def test_a_tree_folds_what_is_deep_and_names_what_git_ignores(use: Use, folder: Path) -> None:
    for name in ("README.md", "src/a.py", "src/deep/er/b.py", "src/deep/c.py", "junk.ignored"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    assert use("list_files").text == (
        "The workspace (4 files)\n"
        "src/ (3 files)\n"
        "  deep/ (2 files)\n"
        "  a.py\n"
        "README.md\n"
        "Ignored by git, not listed: junk.ignored"
    )
    assert use("list_files", path="src/deep", depth=1).text == "src/deep/ (2 files)\ner/ (1 file)\nc.py"


def test_a_list_of_thousands_of_files_stays_short(use: Use, folder: Path) -> None:
    for top in range(30):
        (folder / f"d{top}").mkdir()
        for i in range(20):
            (folder / f"d{top}" / f"f{i}").write_text("")
    text = use("list_files", depth=5).text
    assert text.count("\n") == 30
    for i in range(500):
        (folder / f"top{i}").write_text("")
    assert "330 more names" in use("list_files").text


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.py", ["a.py", "src/b.py", "src/x/c.py"]),
        ("src/*.py", ["src/b.py"]),
        ("src/**/*.py", ["src/b.py", "src/x/c.py"]),
        ("*.{md,txt}", ["n.md"]),
        ("[ab].py", ["a.py", "src/b.py"]),
    ],
)
def test_a_pattern_lists_the_paths_that_match(use: Use, folder: Path, pattern: str, expected: list[str]) -> None:
    for name in ("a.py", "src/b.py", "src/x/c.py", "n.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    assert use("list_files", pattern=pattern).text.split("\n")[1:] == expected


def test_a_wrong_folder_or_pattern_is_explained(use: Use, folder: Path) -> None:
    (folder / "source").mkdir()
    (folder / "source" / "a").write_text("")
    with pytest.raises(ToolError, match="Did you mean source"):
        use("list_files", path="sourc")
    with pytest.raises(ToolError, match="read_file"):
        use("list_files", path="source/a")
    with pytest.raises(ToolError, match="without"):
        use("list_files", pattern="[a")
    assert "No file" in use("list_files", pattern="*.rs").text


def test_matches_stand_below_the_path_of_their_file(use: Use, folder: Path) -> None:
    (folder / "a.py").write_text("import os\nx = os.sep\n")
    (folder / "b.py").write_text("os = 1\n")
    result = use("search", pattern=r"\bos\b")
    assert result.text == "3 matches in 2 files:\na.py\n  1: import os\n  2: x = os.sep\nb.py\n  1: os = 1"
    assert result.summary == "3 matches in 2 files"


def test_context_lines_are_marked_and_gaps_shown(use: Use, folder: Path) -> None:
    (folder / "a").write_text("".join(f"{i}\n" for i in range(1, 21)))
    text = use("search", pattern="^(3|15)$", context=1).text
    assert text.split("\n")[1:] == [
        "a", "   2- 2", "   3: 3", "   4- 4", "  --", "  14- 14", "  15: 15", "  16- 16",
    ]  # fmt: skip
    (folder / "a").write_text("".join(f"{i} {'x' * 200}\n" for i in range(1, 200)))
    text = use("search", pattern="0 x", context=20).text
    assert len(text) < 16_500
    assert text.endswith(
        "… the rest is not shown: narrow it with path, glob or a longer pattern, or ask for less context"
    )


def test_too_many_matches_are_cut_and_no_match_says_what_to_try(use: Use, folder: Path) -> None:
    (folder / "a").write_text("needle\n" * 300)
    text = use("search", pattern="needle").text
    assert text.startswith("more than 100 matches in 1 file:")
    assert "narrow it" in text
    nothing = use("search", pattern="f(x)", glob="a")
    assert not nothing.failed
    assert "backslash" in nothing.text
    assert "ignore_case" in nothing.text
    (folder / "b.py").write_text("x\n")
    assert "ignore_case" in use("search", pattern="f(x)", glob="*.{py,md}").text
    assert use("search", pattern="x", glob="*.{rs,go}").text == (
        "No file is named *.{rs,go}, so nothing was searched. Next: search without glob."
    )
    assert "No line matches" in use("search", pattern="absent", path="b.py", glob="*.py").text


def test_a_bad_regular_expression_is_explained(use: Use, folder: Path) -> None:
    (folder / "a").write_text("x\n")
    with pytest.raises(ToolError, match="not a valid regular expression"):
        use("search", pattern="f(")


def test_an_outline_gives_the_lines_of_each_definition(use: Use, folder: Path) -> None:
    (folder / "a.py").write_text("class A:\n    def f(self):\n        return 1\n\n\ndef g(): ...\n")
    assert use("outline", path="a.py").text == "a.py:\n1-3  class A:\n2-3    def f(self):\n  6  def g(): ..."
    (folder / "x.zig").write_text("fn f() void {}\n")
    assert "search" in use("outline", path="x.zig").text
    (folder / "x.md").write_text("# Title\n")
    assert use("outline", path="x.md").text.endswith("Use search with path x.md and a pattern such as ^#")
    (folder / "b.py").write_text("LIMIT = 3\n\n\ndef f(\n    a,\n    b,\n):\n    pass\n")
    assert use("outline", path="b.py").text == "b.py:\n  1  LIMIT = 3\n4-8  def f(a, b):"
    (folder / "e.py").write_text("print(1)\n")
    assert "defines nothing" in use("outline", path="e.py").text
