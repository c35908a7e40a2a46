from __future__ import annotations

import pytest

from kcode.draft.edit import apply_edits
from kcode.draft.forbidden import find_conflict_marker, find_placeholder
from kcode.errors import EditRefusedError
from kcode.tooling import Edit


@pytest.mark.parametrize(
    "line",
    [
        "# ... existing code ...",
        "// ... rest of the code remains the same ...",
        "    /* ... other methods ... */",
        "(rest of methods ...)",
        "<!-- ... existing markup ... -->",
        "{/* ... rest of component ... */}",
        "// ... (unchanged)",
        "… lines 12-40 not shown",
        "x = 1 … [cut: the line has 2,345 characters]",
    ],
)
def test_a_line_that_says_that_text_was_left_out_is_found(line: str) -> None:
    assert find_placeholder(f"a\n{line}\nb", "a\nb") == line.strip()
    assert find_placeholder(f"a\n{line}\nb", f"{line}\n") is None
    with pytest.raises(EditRefusedError, match="leaves text out"):
        apply_edits(b"a\nb\n", [Edit("a\n", f"a\n{line}\n")])


@pytest.mark.parametrize(
    "line",
    [
        "...",
        "# ...",
        "def f(*args): ...",
        "# Loading remaining items...",
        'print("... existing code ...")',
        "x = [a, ...]",
        "Other files ...",
        "wait for the rest of the file…",
        "# the existing code",
    ],
)
def test_what_people_write_is_not_taken_for_it(line: str) -> None:
    assert find_placeholder(line, "") is None


def test_conflict_marks_that_an_edit_would_bring_are_refused() -> None:
    new = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> theirs\n"
    assert find_conflict_marker(new, "") == "<<<<<<< HEAD"
    assert find_conflict_marker(new, new) is None
    assert find_conflict_marker("Title\n=======\n", "") is None
    assert find_conflict_marker("x <<<<<<< y\n<<<<<<<<<<\n", "") is None
    with pytest.raises(EditRefusedError, match="merge conflict"):
        apply_edits(b"a\n", [Edit("a\n", new)])
    assert apply_edits(new.encode(), [Edit(new, "b\n")]).after == b"b\n"


def test_a_long_file_is_not_emptied_by_an_edit() -> None:
    long, short = "line\n" * 21 + "end\n", "a\nb\n"
    with pytest.raises(EditRefusedError, match="Nothing of the file would be left"):
        apply_edits(long.encode(), [Edit(long, "\n")])
    assert apply_edits(short.encode(), [Edit(short, "")]).after == b""
