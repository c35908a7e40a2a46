from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.checkpoint import read_checkpoint, return_to, take_checkpoint
from kcode.draft.draft import open_draft
from kcode.draft.files import Change
from kcode.draft.pending import Pending
from kcode.errors import DraftError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.draft import trees
from tests.repositories import can_mount_overlay, git, text_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.draft.draft import Backend, Draft

# Names that git cannot ignore and that no file system refuses.
LAID = trees.edits().filter(lambda pair: trees.fits(pair[0]) and trees.fits(pair[1]))


def put(draft: Draft, tree: trees.Tree) -> None:
    """Have the draft hold just this tree."""
    held = {path: draft.read(path) for path in draft.files()}
    changes = [Change(path, held.get(path), tree.get(path)) for path in sorted({*held, *tree})]
    draft.change([change for change in changes if change.before != change.after], "edit_file")


@settings(max_examples=25)
@given(
    backend=st.sampled_from(["copy", *(["overlay"] if can_mount_overlay() else [])]),
    first=LAID,
    later=trees.trees.filter(trees.fits),
)
def test_the_draft_comes_back_as_it_was_whatever_was_done_since(
    backend: Backend, first: tuple[trees.Tree, trees.Tree], later: trees.Tree
) -> None:
    before, then = first
    with TemporaryDirectory() as name:
        folder = Path(name)
        trees.put(folder / "work", before)
        git(folder / "work", "init", "-q")
        workspace = open_workspace(folder / "work", {"HOME": "/nonexistent"})
        draft = open_draft(workspace, open_git(workspace, folder), folder / "draft", backend)
        put(draft, then)
        changes = draft.changes()
        kept = take_checkpoint(draft)
        put(draft, later)
        after = take_checkpoint(draft)
        return_to(draft, read_checkpoint(draft.folder, kept))
        assert [(one.path, one.before, one.after) for one in draft.changes()] == [
            (one.path, one.before, one.after) for one in changes
        ]
        return_to(draft, read_checkpoint(draft.folder, after))
        assert {path: draft.read(path) for path in draft.files()} == later
        assert trees.look(folder / "work") == before


def test_nothing_changed_has_no_name(draft: Draft) -> None:
    assert take_checkpoint(draft) == ""
    draft.write("new.py", text_file("x\n"), "edit_file")
    draft.remove("new.py", "edit_file")
    assert take_checkpoint(draft) == ""
    assert read_checkpoint(draft.folder, "") == ()


def test_the_same_draft_is_kept_once(draft: Draft) -> None:
    draft.write("new.py", text_file("x\n"), "edit_file")
    name = take_checkpoint(draft)
    files = sorted((draft.folder / "base").iterdir())
    assert take_checkpoint(draft) == name
    assert sorted((draft.folder / "base").iterdir()) == files


def test_a_checkpoint_that_is_lost_is_an_error(draft: Draft) -> None:
    draft.write("new.py", text_file("x\n"), "edit_file")
    name = take_checkpoint(draft)
    (draft.folder / "base" / name).unlink()
    with pytest.raises(DraftError, match="Nothing was done"):
        read_checkpoint(draft.folder, name)


LINES = [f"line {number}\n" for number in range(12)]


def changed(*at: int) -> str:
    return "".join("CHANGED\n" if number in at else line for number, line in enumerate(LINES))


@pytest.fixture
def pending(draft_of: Callable[[Path], Draft], repository: Path, tmp_path: Path) -> Pending:
    (repository / "lines").write_text(changed())
    draft = draft_of(repository)
    return Pending(draft.workspace, draft, tmp_path / "journal")


def test_what_the_user_applied_stays_and_is_not_proposed_to_be_taken_back(pending: Pending) -> None:
    draft = pending.draft
    draft.write("lines", text_file(changed(1)), "edit_file")
    draft.write("README.md", text_file("# Kept\n"), "edit_file")
    kept = take_checkpoint(draft)
    draft.write("lines", text_file(changed(1, 6)), "edit_file")
    pending.apply(pending.proposal(), "a test")
    draft.write("lines", text_file(changed(1, 6, 10)), "edit_file")
    return_to(draft, read_checkpoint(draft.folder, kept), ["lines", "README.md"])
    assert (draft.workspace.root / "lines").read_text() == changed(1, 6)
    assert not pending.merge()


def test_what_the_user_changed_elsewhere_meanwhile_stays_beside_what_comes_back(pending: Pending) -> None:
    draft = pending.draft
    draft.write("lines", text_file(changed(1)), "edit_file")
    kept = take_checkpoint(draft)
    draft.write("lines", text_file(changed(1, 6)), "edit_file")
    (draft.workspace.root / "lines").write_text(changed(10))
    pending.merge()
    return_to(draft, read_checkpoint(draft.folder, kept))
    (change,) = pending.merge().changes
    assert change.after == text_file(changed(1, 10))
    assert not pending.proposal().conflicts


def test_what_the_user_changed_in_the_same_place_is_a_conflict_and_not_lost(pending: Pending) -> None:
    draft = pending.draft
    draft.write("lines", text_file(changed(1)), "edit_file")
    kept = take_checkpoint(draft)
    draft.write("lines", text_file(changed(6)), "edit_file")
    (draft.workspace.root / "lines").write_text(changed().replace("line 1\n", "mine\n"))
    pending.merge()
    return_to(draft, read_checkpoint(draft.folder, kept))
    proposal = pending.merge()
    assert len(proposal.conflicts) == 1
    assert draft.read("lines") == text_file(changed(1))
    assert "mine" in (draft.workspace.root / "lines").read_text()
