"""Random trees, random proposals over them, and a user who edits meanwhile: nothing of theirs is lost, all comes back."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kcode.draft.files import LINK, REGULAR, FileState
from kcode.draft.hunks import propose, single_paths
from kcode.draft.journal import apply_changes, redo, undo
from kcode.draft.merge import merge_files
from kcode.draft.rebase import rebase, split_conflicts
from kcode.draft.renames import find_renames
from kcode.workspace import Workspace
from tests.draft import desk
from tests.draft.trees import Tree, changes, edits, fits, links, look, put, texts

if TYPE_CHECKING:
    from pathlib import Path

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def fresh(folder: Path, tree: Tree) -> tuple[Workspace, Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    put(folder / "work", tree)
    return Workspace((folder / "work").resolve()), folder / "journal"


@few
@given(edits())
def test_apply_and_undo_give_the_whole_tree_back_and_redo_the_other(tmp_path: Path, pair: tuple[Tree, Tree]) -> None:
    before, after = pair
    assume(fits(before) and fits(after))
    proposal = propose(changes(before, after))
    assume(proposal)
    workspace, journal = fresh(tmp_path / "desk", before)
    first = desk.look(workspace.root)
    apply_changes(workspace, journal, single_paths(proposal), "a test")
    assert look(workspace.root) == after
    second = desk.look(workspace.root)
    undo(workspace, journal)
    assert desk.look(workspace.root) == first
    redo(workspace, journal)
    assert desk.look(workspace.root) == second


@st.composite
def saved(draw: st.DrawFn, tree: Tree) -> Tree:
    """What the tree is after the user edited, deleted and made some files of it."""
    now = dict(tree)
    for path in draw(st.sets(st.sampled_from(sorted(tree)), max_size=3)) if tree else ():
        state = tree[path]
        if state.mode == LINK or draw(st.integers(0, 5)) == 0:
            replaced = draw(st.one_of(st.none(), links))
            now.pop(path)
            now |= {path: replaced} if replaced else {}
            continue
        lines = state.data.split(b"\n")
        lines.insert(draw(st.integers(0, len(lines))), b"the user's own line")
        now[path] = FileState(state.mode, b"\n".join(lines))
    if draw(st.booleans()):
        now["a.py"] = FileState(REGULAR, draw(texts))
    return now


@few
@given(edits(), st.data())
def test_what_the_user_does_between_proposal_and_apply_never_vanishes(
    tmp_path: Path, pair: tuple[Tree, Tree], data: Any
) -> None:
    before, after = pair
    present: Tree = data.draw(saved(before))
    assume(fits(before) and fits(after) and fits(present) and fits(present | after))
    found = rebase(changes(before, after), present.get)
    fitting, _ = split_conflicts(found.proposal)
    assume(fitting)
    workspace, journal = fresh(tmp_path / "desk", present)
    apply_changes(workspace, journal, single_paths(fitting), "a test")
    written = look(workspace.root)
    moved = {old: new for new, old in find_renames(changes(before, after)).items()}
    for path, state in present.items():
        places = {path, moved.get(path, path)}
        assert any(holds(written.get(place), before.get(path), state) for place in places), path
    undo(workspace, journal)
    assert look(workspace.root) == present


def holds(written: FileState | None, base: FileState | None, saved_: FileState) -> bool:
    """Whether all that the user made of base is in what was written."""
    merge = merge_files(base, written, saved_)
    return saved_ == base or (merge.state == written and not merge.is_conflict)
