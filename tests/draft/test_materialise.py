from __future__ import annotations

import ast
import py_compile
import sys
from itertools import count
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.draft import open_draft
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.hunks import apply_hunks, choose, propose, single_paths
from kcode.draft.manifest import folders_above
from kcode.draft.materialise import materialise
from kcode.draft.selection import keys_of
from kcode.errors import IncompleteError, StaleError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.conftest import ROOT
from tests.draft import trees
from tests.repositories import can_mount_overlay, git, picture, run_over

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kcode.draft.draft import Draft
    from kcode.draft.files import Proposal

    Open = Callable[[trees.Tree, Literal["overlay", "copy"]], Draft]


@pytest.fixture(scope="module")
def open_over(tmp_path_factory: pytest.TempPathFactory) -> Open:
    """A fresh draft over a new repository that holds the tree."""
    folder, numbers = tmp_path_factory.mktemp("materialise"), count()

    def open_one(tree: trees.Tree, backend: Literal["overlay", "copy"]) -> Draft:
        own = folder / str(next(numbers))
        own.mkdir()
        trees.put(own / "work", tree)
        git(own / "work", "init", "-q")
        workspace = open_workspace(own / "work", {"HOME": str(folder / "home")})
        return open_draft(workspace, open_git(workspace, own / "git"), own / "draft", backend)

    return open_one


BACKENDS: list[Literal["overlay", "copy"]] = ["overlay", "copy"] if can_mount_overlay() else ["copy"]


def by_the_rule(before: trees.Tree, proposal: Proposal, chosen: Collection[str]) -> trees.Tree:
    """The workspace's tree, each file with its chosen hunks; whole files by their path."""
    tree = dict(before)
    for change in proposal.changes:
        if not keys_of(change) & set(chosen):
            continue
        tree.pop(change.old_path or change.path, None)
        if change.after is not None or not keys_of(change) <= set(chosen):
            state = change.after or change.before
            assert state is not None
            tree[change.path] = FileState(state.mode, apply_hunks(change, chosen))
    return tree


def shown(draft: Draft) -> trees.Tree:
    found = {path: draft.read(path) for path in draft.files()}
    return {path: state for path, state in found.items() if state is not None}


def folders(draft: Draft, under: str = "") -> set[str]:
    inside = [entry.path for entry in draft.entries(under) if entry.kind == "folder"]
    return {*inside}.union(*(folders(draft, path) for path in inside))


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=15)
@given(edit=trees.edits().filter(lambda pair: trees.fits(pair[0]) and trees.fits(pair[1])), data=st.data())
def test_a_draft_holds_exactly_the_chosen_hunks(
    open_over: Open,
    backend: Literal["overlay", "copy"],
    edit: tuple[trees.Tree, trees.Tree],
    data: st.DataObject,
) -> None:
    before, after = edit
    proposal = propose(trees.changes(before, after))
    keys = sorted(frozenset().union(*map(keys_of, proposal.changes)))
    chosen = data.draw(st.sets(st.sampled_from(keys))) if keys else set[str]()
    expected = by_the_rule(before, proposal, chosen)
    draft = open_over(before, backend)
    root = draft.workspace.root
    untouched = picture(root)
    if trees.fits(expected):
        materialise(draft, single_paths(choose(proposal, chosen)))
        assert shown(draft) == expected
        assert folders(draft) == {folder for path in expected for folder in folders_above(path)}
    else:
        with pytest.raises(IncompleteError):
            materialise(draft, single_paths(choose(proposal, chosen)))
    assert picture(root) == untouched


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_command_sees_what_was_chosen_and_the_rest_of_the_workspace(
    open_over: Open, backend: Literal["overlay", "copy"]
) -> None:
    before, after = trees.ordinary()
    before |= {"old/a.txt": FileState(REGULAR, b"x\n"), "old/pack/__init__.py": FileState(REGULAR, b"")}
    proposal = propose(trees.changes(before, after))
    edited = next(change for change in proposal.changes if change.path == "sp ace.txt")
    chosen = {hunk.id for hunk in edited.hunks[1:3]} | {"there/moved", "kind", "gone"}
    chosen |= keys_of(next(change for change in proposal.changes if change.path == "old/a.txt"))
    chosen |= {"old/pack/__init__.py"}
    chosen |= keys_of(next(change for change in proposal.changes if change.path == "gone"))
    draft = open_over(before, backend)
    materialise(draft, single_paths(choose(proposal, chosen)))
    script = "from tests.draft.trees import look; print(ascii([(p, s.mode, s.data) for p, s in look('.').items()]))"
    assert run_over(draft, "ls -d old; true") == ""
    printed = run_over(draft, f'PYTHONPATH="{ROOT}" "{sys.executable}" -B -c "{script}"')
    seen = {path: FileState(mode, data) for path, mode, data in ast.literal_eval(printed)}
    assert seen == by_the_rule(before, proposal, chosen)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_folder_takes_the_place_of_a_file_and_a_file_that_of_a_folder(
    open_over: Open, backend: Literal["overlay", "copy"]
) -> None:
    x = FileState(REGULAR, b"x\n")
    before = {"file": x, "folder/inner": FileState(EXECUTABLE, b"y\n"), "link": FileState(LINK, b"folder"), "z": x}
    after = {"file/inner": x, "folder": FileState(REGULAR, b"other\n"), "link/made": FileState(LINK, b"z"), "z": x}
    changes = trees.changes(before, after)
    draft = open_over(before, backend)
    materialise(draft, changes)
    assert shown(draft) == after
    for alone in (change for change in changes if change.after is not None and change.before is None):
        with pytest.raises(IncompleteError, match="other hunks"):
            materialise(open_over(before, backend), [alone])


def test_a_file_that_the_user_changed_meanwhile_is_named_and_nothing_is_made(open_over: Open) -> None:
    draft = open_over({"a": FileState(REGULAR, b"mine\n"), "b": FileState(REGULAR, b"1\n")}, "copy")
    changes = [
        Change("b", FileState(REGULAR, b"1\n"), FileState(REGULAR, b"2\n")),
        Change("a", FileState(REGULAR, b"old\n"), FileState(REGULAR, b"new\n")),
    ]
    with pytest.raises(StaleError, match=r"^a changed"):
        materialise(draft, changes)
    assert draft.changes() == ()


@pytest.mark.parametrize("backend", BACKENDS)
def test_byte_code_of_the_workspaces_version_is_not_taken_for_that_of_the_chosen_one(
    open_over: Open, backend: Literal["overlay", "copy"]
) -> None:
    one, two = FileState(REGULAR, b"print('one')\n"), FileState(REGULAR, b"print('two')\n")
    draft = open_over({"pack/mod.py": one, "pack/other.py": one, ".gitignore": FileState(REGULAR, b"x\n")}, backend)
    for name in ("mod", "other"):
        # Never told by time: stands for a cache that has the same second and size.
        source = draft.workspace.root / f"pack/{name}.py"
        py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    materialise(draft, [Change("pack/mod.py", one, two)])
    imports = (
        f'"{sys.executable}" -B -c "import pack.mod, pack.other, os; print(len(os.listdir(\'pack/__pycache__\')))"'
    )
    assert run_over(draft, imports) == "two\none\n1\n"
    assert len(list((draft.workspace.root / "pack/__pycache__").iterdir())) == 2
