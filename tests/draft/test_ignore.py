"""What git ignores in a draft is never proposed, and the draft's own rules decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.repositories import changed_paths, git, run_over, text_file, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.draft.draft import Draft


def test_what_git_ignores_stays_in_the_draft_and_is_never_proposed(draft: Draft) -> None:
    run_over(
        draft,
        "mkdir -p build/x .cache2; echo o > build/x/y; echo '*' > .cache2/.gitignore; echo c > .cache2/c; echo l > a.log",
    )
    assert draft.settle("make") == ()
    draft.write("notes.log", text_file("by the model\n"), "write_file")
    assert draft.is_ignored("notes.log")
    assert draft.changes() == ()
    assert draft.files() == [".gitignore", "README.md", "src/deep/inner.py", "src/main.py", "tests/test_main.py"]
    assert run_over(draft, "cat build/x/y a.log notes.log .cache2/c") == "o\nl\nby the model\nc\n"


def test_a_tracked_file_that_matches_an_ignore_rule_is_proposed(
    draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    write_tree(repository, {"kept.log": "kept\n", "build/kept.txt": "kept\n"})
    git(repository, "add", "-f", "kept.log", "build/kept.txt")
    draft = draft_of(repository)
    run_over(draft, "echo more >> kept.log; echo more >> build/kept.txt; echo new > build/new.txt")
    assert draft.settle("sh") == ("build/kept.txt", "kept.log")


def test_the_drafts_own_gitignore_decides_what_is_ignored(draft: Draft, repository: Path) -> None:
    write_tree(repository, {"notes.tmp": "user's\n", "old.log": "user's\n", "build/out/a.o": "user's\n"})
    run_over(draft, "echo t > mine.tmp; echo l > mine.log; mkdir -p gen; echo g > gen/code.py")
    assert draft.settle("sh") == ("gen/code.py", "mine.tmp")
    draft.write(".gitignore", text_file("*.tmp\n/gen/\n__pycache__/\n"), "edit_file")
    assert draft.settle("look again") == ("mine.log",)
    assert changed_paths(draft.changes()) == [".gitignore", "mine.log"]
    assert draft.files() == sorted([
        ".gitignore", "README.md", "build/out/a.o", "mine.log", "old.log", "src/deep/inner.py", "src/main.py",
        "tests/test_main.py",
    ])  # fmt: skip
    draft.write("src/.gitignore", text_file("main.*\n!main.py\n"), "write_file")
    assert draft.is_ignored("src/main.c")
    assert not draft.is_ignored("src/main.py")
