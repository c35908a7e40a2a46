"""The tools that change the draft: edit_file, write_file, move_file, delete_file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.errors import EditRefusedError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.tooling import ToolResult

    Use = Callable[..., ToolResult]


def test_an_edit_is_made_and_its_lines_shown(use: Use, folder: Path) -> None:
    (folder / "a.py").write_text("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\ng = 7\n")
    result = use("edit_file", path="a.py", edits=[{"old": "d = 4\n", "new": "d = 40\nd2 = 41\n"}])
    assert (folder / "a.py").read_text() == "a = 1\nb = 2\nc = 3\nd = 40\nd2 = 41\ne = 5\nf = 6\ng = 7\n"
    assert result.text == (
        "Changed a.py: lines 4-5. It reads now:\n2→b = 2\n3→c = 3\n4→d = 40\n5→d2 = 41\n6→e = 5\n7→f = 6"
    )


def test_several_edits_show_their_new_line_numbers(use: Use, folder: Path) -> None:
    (folder / "a").write_text("".join(f"line {i}.\n" for i in range(1, 41)))
    edits = [
        {"old": "line 30.", "new": "thirty"},
        {"old": "line 2.\n", "new": ""},
        {"old": "line 10.", "new": "ten\nand more"},
    ]
    text = use("edit_file", path="a", edits=edits).text
    assert text == (
        "Changed a by 3 edits: lines taken out after line 1, lines 9-10, line 30. It reads now:\n"
        "1→line 1.\n2→line 3.\n…\n"
        " 8→line 9.\n 9→ten\n10→and more\n11→line 11.\n…\n"
        "29→line 29.\n30→thirty\n31→line 31."
    )


def test_what_old_and_new_share_is_not_said_to_have_changed(use: Use, folder: Path) -> None:
    (folder / "a").write_text("".join(f"line {i}.\n" for i in range(1, 21)))
    old = "".join(f"line {i}.\n" for i in range(4, 16))
    new = old.replace("line 5.", "five").replace("line 14.\n", "")
    text = use("edit_file", path="a", edits=[{"old": old, "new": new}]).text
    assert text.startswith("Changed a: line 5, lines taken out after line 13. It reads now:\n")
    assert "…\n12→" in text


def test_many_changed_places_are_shown_shortly(use: Use, folder: Path) -> None:
    (folder / "a").write_text("".join(f"x {i}\nother\n" for i in range(1, 201)))
    result = use("edit_file", path="a", edits=[{"old": "x", "new": "y", "replace_all": True}])
    assert result.summary == "a: 200 places"
    assert result.text.startswith("Changed a: 200 places. It reads now:\n")
    assert "\n1→y 1\n…\n3→y 2\n…\n" in result.text
    assert "\n… not shown: lines 121, 123, 125," in result.text
    assert result.text.endswith("179 and 110 more places")


def test_a_long_change_is_shown_by_its_ends(use: Use, folder: Path) -> None:
    (folder / "a").write_text("x\n")
    new = "".join(f"line {i}\n" for i in range(200))
    text = use("edit_file", path="a", edits=[{"old": "x\n", "new": new}]).text
    assert text.count("\n") < 30
    assert "not shown" in text


def test_a_refused_edit_names_the_file_and_leaves_it(use: Use, folder: Path) -> None:
    (folder / "a").write_text("x\ny\n")
    with pytest.raises(EditRefusedError, match=r"^a: Edit 2 of 2: .*No file was changed"):
        use("edit_file", path="a", edits=[{"old": "x", "new": "z"}, {"old": "absent", "new": "q"}])
    assert (folder / "a").read_text() == "x\ny\n"


def test_a_text_spaced_differently_is_refused_with_what_stands_there(use: Use, folder: Path) -> None:
    (folder / "a").write_text("def f():\n\treturn 1\n")
    with pytest.raises(EditRefusedError) as refused:
        use("edit_file", path="a", edits=[{"old": "def f():\n    return 2\n", "new": "x"}])
    assert str(refused.value) == (
        "a: `old` is not in the file. The closest place: lines 1-2:\n1→def f():\n2→⇥return 1\n"
        "The first difference is at line 2, column 1: the file has `⇥return 1`, `old` has `····return 2`. "
        "No file was changed. Use these lines, writing each · as a space and ⇥ as a tab."
    )


def test_editing_a_missing_file_names_the_nearest(use: Use, folder: Path) -> None:
    (folder / "parser.py").write_text("")
    with pytest.raises(ToolError, match=r"parser\.py"):
        use("edit_file", path="src/parser.py", edits=[{"old": "a", "new": "b"}])


def test_a_new_file_is_written_with_its_folders(use: Use, folder: Path) -> None:
    assert use("write_file", path="docs/new/a.md", content="one\ntwo\n").text == (
        "Wrote the new file docs/new/a.md: 2 lines."
    )
    assert (folder / "docs/new/a.md").read_bytes() == b"one\ntwo\n"


def test_replacing_keeps_the_line_ends_and_mark_of_the_file(use: Use, folder: Path) -> None:
    (folder / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert "CRLF" in use("write_file", path="a", content="one\nthree\n").text
    assert (folder / "a").read_bytes() == b"\xef\xbb\xbfone\r\nthree\r\n"


def test_replacing_a_file_with_both_line_ends_keeps_each_line_its_own(use: Use, folder: Path) -> None:
    (folder / "a").write_bytes(b"one\r\ntwo\nthree\r\n")
    use("write_file", path="a", content="one\nnew\ntwo\nmore\nthree\n")
    assert (folder / "a").read_bytes() == b"one\r\nnew\r\ntwo\nmore\nthree\r\n"


def test_bytes_that_are_no_utf8_are_not_lost_by_replacing(use: Use, folder: Path) -> None:
    (folder / "a").write_bytes(b"caf\xe9\none\n")
    with pytest.raises(ToolError, match="Use edit_file"):
        use("write_file", path="a", content="caf\ufffd\ntwo\n")
    assert "as UTF-8, which it was not before" in use("write_file", path="a", content="caf\u00e9\ntwo\n").text
    assert (folder / "a").read_bytes() == "caf\u00e9\ntwo\n".encode()


def test_how_an_edit_was_found_is_said_below_its_lines(use: Use, folder: Path) -> None:
    (folder / "a").write_text("def f():\n\treturn 1\n")
    result = use("edit_file", path="a", edits=[{"old": "def f():\n    return 1\n", "new": "def f():\n    return 2\n"}])
    assert result.text == (
        "Changed a: line 2. It reads now:\n1→def f():\n2→\treturn 2\n"
        "The edit matched lines 1-2 by passing over the indentation: what it does not change stays as it is in the file."
    )


def test_writing_what_is_there_already_is_refused(use: Use, folder: Path) -> None:
    (folder / "a").write_bytes(b"one\r\n")
    for content in ("one\n", "one\r\n"):
        with pytest.raises(ToolError, match="No file was changed"):
            use("write_file", path="a", content=content)


def test_writing_over_a_folder_or_binary_file_is_refused(use: Use, folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "b").write_bytes(b"\0\1")
    with pytest.raises(ToolError, match="is a folder"):
        use("write_file", path="d", content="x")
    with pytest.raises(ToolError, match="delete_file it first"):
        use("write_file", path="b", content="x")
    with pytest.raises(ToolError, match="surrogate"):
        use("write_file", path="s", content="\ud83d")
    assert not (folder / "s").exists()


def test_a_file_that_shrinks_much_is_remarked(use: Use, folder: Path) -> None:
    (folder / "a").write_text("x\n" * 100)
    assert "more than half" in use("write_file", path="a", content="x\n").text


def test_moving_and_deleting(use: Use, folder: Path) -> None:
    (folder / "a").write_text("x")
    (folder / "b").write_text("y")
    (folder / "d").mkdir()
    assert "Moved a to d/c" in use("move_file", source="a", target="d/c").text
    assert (folder / "d" / "c").read_text() == "x"
    for target, words in (("b", "Source and target"), ("d", "d/b"), ("d/c", "already there")):
        with pytest.raises(ToolError, match=words):
            use("move_file", source="b", target=target)
    assert use("delete_file", path="b").text == "Deleted b."
    with pytest.raises(ToolError, match="There is no file"):
        use("delete_file", path="b")
    with pytest.raises(ToolError, match="is a folder"):
        use("delete_file", path="d")
