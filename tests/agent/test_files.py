"""The draft's files as tools change them: nothing is overwritten that the model did not see as it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kcode.agent.files import DraftFiles
from kcode.draft.draft import open_draft
from kcode.errors import EditRefusedError, ToolError
from kcode.safegit import open_git
from kcode.share import shared
from kcode.tooling import load_tools
from kcode.workspace import open_workspace
from tests.repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Use = Callable[..., str]

NUMBERED = "".join(f"def function_{number}():\n\treturn {number}\n" for number in range(1, 31))


@pytest.fixture(scope="module")
def tools() -> dict[str, Any]:
    return load_tools([shared("tools")])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "repository", {"a.py": NUMBERED, "b.txt": "one\ntwo\n", "empty": ""})


@pytest.fixture
def view(tmp_path: Path, root: Path) -> DraftFiles:
    workspace = open_workspace(root, {"HOME": str(tmp_path / "home")})
    git = open_git(workspace, tmp_path / "state")
    view = DraftFiles(workspace, git, tmp_path / "outputs", {})
    view._draft = open_draft(workspace, git, tmp_path / "state/draft", "overlay")
    return view


@pytest.fixture
def use(view: DraftFiles, tools: dict[str, Any]) -> Use:
    """Call a tool over one draft and give the text that the model reads."""

    def call(name: str, **arguments: Any) -> str:
        return str(asyncio.run(tools[name].function(view, **arguments)).text)

    return call


def edit(use: Use, old: str, new: str, path: str = "a.py", **more: Any) -> str:
    return use("edit_file", path=path, edits=[{"old": old, "new": new, **more}])


def refused(use: Use, old: str, new: str, path: str = "a.py") -> str:
    with pytest.raises(EditRefusedError) as caught:
        edit(use, old, new, path)
    assert "No file was changed" in str(caught.value)
    return str(caught.value)


SPACED = ("def function_3():\n    return 3\n", "def function_3():\n    return 33\n")


def test_an_exact_edit_needs_no_reading(use: Use) -> None:
    assert "line 6" in edit(use, "return 3\n", "return 33\n")


def test_a_retyped_edit_needs_the_lines_to_have_been_read(use: Use) -> None:
    text = refused(use, *SPACED)
    assert "in lines that you have not read" in text
    assert "6→\treturn 3\n" in text
    # They were shown by that.
    assert "passing over the indentation" in edit(use, *SPACED)


def test_a_retyped_edit_passes_where_the_lines_were_read(use: Use) -> None:
    use("read_file", path="a.py", start=1, end=10)
    assert "6→\treturn 33" in edit(use, *SPACED)
    assert "not read" in refused(use, "def function_9():\n    return 9\n", "x\n")
    # The edit's own lines are known as well, at their new numbers.
    edit(use, "def function_1():\n", "import one\n\n\ndef function_1():\n")
    assert "9→\treturn 333" in edit(use, SPACED[1], SPACED[1].replace("33", "333"))


def test_a_changed_file_takes_an_exact_text_and_says_what_changed(use: Use, root: Path) -> None:
    use("read_file", path="a.py")
    (root / "a.py").write_text(NUMBERED.replace("return 20", "return 'twenty'"))
    text = edit(use, "return 3\n", "return 33\nthree = 3\n")
    assert "The file had changed since you saw it" in text
    assert "41→\treturn 'twenty'" in text
    # What was told is known.
    assert "had changed" not in edit(use, "return 4\n", "return 44\n")


def test_a_changed_file_refuses_what_is_not_exact_or_not_once(use: Use, root: Path) -> None:
    use("read_file", path="a.py")
    (root / "a.py").write_text(NUMBERED.replace("return 20", "return 'twenty'"))
    text = refused(use, *SPACED)
    assert "changed since you saw it" in text
    assert "40→\treturn 'twenty'" in text
    assert "passing over the indentation" in edit(use, *SPACED)
    (root / "b.txt").write_text("one\none\n")
    use("read_file", path="b.txt")
    (root / "b.txt").write_text("one\none\none\n")
    with pytest.raises(EditRefusedError, match="stands there more than once"):
        edit(use, "one", "two", "b.txt", replace_all=True)


def test_the_same_content_written_anew_is_no_change(use: Use, root: Path) -> None:
    use("read_file", path="a.py")
    (root / "a.py").unlink()
    (root / "a.py").write_text(NUMBERED)
    assert "had changed" not in edit(use, *SPACED)


def test_a_file_is_written_over_once_all_of_it_was_read(use: Use, root: Path) -> None:
    with pytest.raises(ToolError, match="you have not read it"):
        use("write_file", path="a.py", content="new\n")
    use("read_file", path="a.py", start=1, end=20)
    use("read_file", path="a.py", start=31)
    with pytest.raises(ToolError, match=r"not seen all of lines 21-30\. .* Read them first"):
        use("write_file", path="a.py", content="new\n")
    use("read_file", path="a.py", start=21, end=30)
    (root / "a.py").write_text(NUMBERED + "more = 1\n")
    with pytest.raises(ToolError, match=r"(?s)changed since you saw it.*61→more = 1"):
        use("write_file", path="a.py", content="new\n")
    assert use("write_file", path="a.py", content="new\n").startswith("Replaced a.py: 1 line instead of 61.")
    assert "Replaced" in use("write_file", path="a.py", content="newer\n")
    assert (root / "a.py").read_text().endswith("more = 1\n")


def test_what_a_conversation_no_longer_holds_is_not_known(use: Use, view: DraftFiles) -> None:
    use("read_file", path="a.py")
    view.seen.forget_all()
    with pytest.raises(ToolError, match="you have not read it"):
        use("write_file", path="a.py", content="new\n")


def test_a_line_that_was_shown_cut_is_not_known(use: Use, root: Path) -> None:
    (root / "b.txt").write_text("one\n" + "x" * 3000 + "\n")
    use("read_file", path="b.txt")
    with pytest.raises(ToolError, match=r"lines 2-2\. .*too long to be shown whole"):
        use("write_file", path="b.txt", content="new\n")


def test_what_holds_nothing_or_is_known_otherwise_is_written_over(use: Use) -> None:
    assert "Replaced empty" in use("write_file", path="empty", content="text\n")
    use("read_file", path="b.txt")
    use("move_file", source="b.txt", target="c.txt")
    assert "Replaced c.txt" in use("write_file", path="c.txt", content="text\n")
    use("delete_file", path="c.txt")
    assert "new file" in use("write_file", path="c.txt", content="other\n")


def test_a_whole_file_is_not_written_with_a_part_left_out(use: Use) -> None:
    use("read_file", path="a.py")
    with pytest.raises(ToolError, match=r"leaves text of a\.py out"):
        use("write_file", path="a.py", content="def function_1():\n    return 0\n# ... existing code ...\n")


def test_the_same_refusal_is_answered_otherwise_each_time(use: Use) -> None:
    wrong = ("def function_20():\n\treturn twenty\n", "x")
    first, second, third = (refused(use, *wrong) for _ in range(3))
    assert "39→def function_20():" in first
    assert second.startswith("a.py: Refused for the same reason as before: `old` is not in the file.")
    assert "20→\treturn 10\n" in second
    assert "59→def function_30():\n" in second
    assert "Refused for the same reason 3 times" in third
    assert "say in your answer" in third
    edit(use, "return 20\n", "return 'twenty'\n")
    assert refused(use, *wrong) != third
    assert "Refused for the same reason" not in refused(use, "something else that is not there", "x")


def test_what_an_edit_itself_changes_is_not_told_as_changed_by_others(use: Use, root: Path) -> None:
    use("read_file", path="a.py")
    lines = NUMBERED.splitlines(keepends=True)
    (root / "a.py").write_text("".join(["first = 1\n", *lines[:-1]]))
    told = edit(use, "def function_9():\n", "def function_9():\n\t# nine\n")
    _, _, stale = told.partition("The file had changed since you saw it.")
    assert "1→first = 1" in stale
    assert "nine" not in stale
    assert "Elsewhere lines were taken out, at 1 place." in stale
