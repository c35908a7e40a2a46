from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState, Proposal
from kcode.draft.hunks import choose, count_lines, propose
from kcode.draft.patch import render_patch

if TYPE_CHECKING:
    from pathlib import Path

Tree = dict[str, FileState]

NAMES = [
    "a.py", "sp ace.txt", "b", "dir/a.py", "dir/b b/c", "ünï", 'quo"te', "back\\slash", "tab\there", "new\nline",
    "\udcff\udcfe", "x b/y", "-dash", "\x7f\x01",
]  # fmt: skip
LINES = [b"one", b"two", b"", b"cr\r", b"-- x", b"++ y", b"@@ -1 +1 @@", b"\xff\xfe", b"diff --git a/a b/a", b"\\ No"]

texts = st.builds(
    lambda parts, end: b"\n".join(parts) + end,
    st.lists(st.sampled_from(LINES), max_size=25),
    st.sampled_from([b"", b"\n", b"\r\n"]),
)
binaries = st.binary(max_size=120).map(lambda data: b"\0" + data)
files = st.builds(FileState, st.sampled_from([REGULAR, EXECUTABLE]), st.one_of(texts, texts, binaries))
links = st.builds(FileState, st.just(LINK), st.sampled_from([b"a.py", b"no/where", b"sp ace\n", b"\xff"]))
trees = st.dictionaries(st.sampled_from(NAMES), st.one_of(files, files, links), max_size=6)


@st.composite
def edits(draw: st.DrawFn) -> tuple[Tree, Tree]:
    before = draw(trees)
    after: Tree = {}
    for path, state in before.items():
        match draw(st.sampled_from(["keep", "edit", "delete", "move", "mode", "replace"])):
            case "keep":
                after[path] = state
            case "edit" if state.mode != LINK:
                lines = state.data.split(b"\n")
                lines[draw(st.integers(0, len(lines) - 1))] = draw(st.sampled_from(LINES))
                after[path] = FileState(state.mode, b"\n".join(lines))
            case "move":
                after.setdefault(draw(st.sampled_from(NAMES)), state)
            case "mode" if state.mode != LINK:
                after[path] = FileState(REGULAR + EXECUTABLE - state.mode, state.data)
            case "replace":
                after[path] = draw(st.one_of(files, links))
            case _:
                pass
    return before, after


def put(root: Path, tree: Tree) -> None:
    root.mkdir()
    for path, state in tree.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if state.mode == LINK:
            file.symlink_to(os.fsdecode(state.data))
        else:
            file.write_bytes(state.data)
            file.chmod(0o755 if state.mode == EXECUTABLE else 0o644)


def look(root: Path) -> Tree:
    found: Tree = {}
    for folder, names, others in os.walk(root):
        names[:] = [name for name in names if name != ".git"]
        for name in [*others, *names]:
            file = os.path.join(folder, name)  # noqa: PTH118
            path = os.path.relpath(file, root)
            if os.path.islink(file):  # noqa: PTH114
                found[path] = FileState(LINK, os.fsencode(os.readlink(file)))  # noqa: PTH115
            elif name in others:
                with open(file, "rb") as stream:  # noqa: PTH123
                    mode = EXECUTABLE if os.stat(file).st_mode & 0o100 else REGULAR  # noqa: PTH116
                    found[path] = FileState(mode, stream.read())
    return found


def git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    environment |= {"GIT_CEILING_DIRECTORIES": str(folder.parent), "LC_ALL": "C"}
    done = subprocess.run(
        ["git", "-c", "core.fsync=none", *arguments],
        cwd=folder, input=data, capture_output=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (arguments, done.stderr, data)
    return done.stdout


def changes(before: Tree, after: Tree) -> list[Change]:
    return [Change(path, before.get(path), after.get(path)) for path in sorted({*before, *after})]


def fits(tree: Tree) -> bool:
    """No path is both a file and a folder."""
    return not any(f"{path}/" in f"{other}/"[: len(path) + 1] for path in tree for other in tree if path != other)


def check_both_ways(folder: Path, before: Tree, after: Tree, patch: bytes) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    put(folder, before)
    git(folder, "apply", "--whitespace=nowarn", data=patch)
    assert look(folder) == after
    git(folder, "apply", "--whitespace=nowarn", "-R", data=patch)
    assert look(folder) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits())
@example(({"a": FileState(REGULAR, b"1\n2")}, {"a/b": FileState(REGULAR, b"1\n2")}))
@example(({"a": FileState(REGULAR, b"x" * 9000 + b"\0\nold\n")}, {"a": FileState(REGULAR, b"x" * 9000 + b"\0\nnew\n")}))
@example(({"x b/x": FileState(REGULAR, b"")}, {"x b/x": FileState(EXECUTABLE, b"")}))
@example(({}, {"\udcff": FileState(REGULAR, b"")}))
def test_git_applies_the_patch_byte_for_byte_and_takes_it_back(tmp_path: Path, edit: tuple[Tree, Tree]) -> None:
    before, after = edit
    proposal = propose(changes(before, after))
    if not proposal or not fits(before) or not fits(after):
        return
    patch = render_patch(proposal)
    check_both_ways(tmp_path / "plain", before, after, patch)
    repository = tmp_path / "repository"
    shutil.rmtree(repository, ignore_errors=True)
    put(repository, before)
    git(repository, "init", "-q")
    git(repository, "add", "-fA", ".")
    git(repository, "apply", "--check", "--index", data=patch)
    git(repository, "apply", "--index", "--whitespace=nowarn", data=patch)
    assert look(repository) == after
    # The index holds what the work tree holds, so the patch named the right blobs and modes.
    assert git(repository, "diff", "--raw") == b""
    git(repository, "apply", "--index", "--whitespace=nowarn", "-R", data=patch)
    assert look(repository) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, texts, st.data())
def test_the_patch_of_some_hunks_applies(tmp_path: Path, before: bytes, after: bytes, data: st.DataObject) -> None:
    proposal = propose([Change("f", FileState(REGULAR, before), FileState(EXECUTABLE, after))])
    ids = [hunk.id for change in proposal.changes for hunk in change.hunks] or ["f"]
    part = choose(proposal, data.draw(st.sets(st.sampled_from(ids))))
    if not part:
        return
    (change,) = part.changes
    assert change.after
    patch = render_patch(part)
    check_both_ways(tmp_path / "plain", {"f": FileState(REGULAR, before)}, {"f": change.after}, patch)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits())
def test_git_counts_the_lines_that_we_count(tmp_path: Path, edit: tuple[Tree, Tree]) -> None:
    text = [{path: state for path, state in tree.items() if state.mode != LINK} for tree in edit]
    proposal = propose(changes(*text))
    if proposal:
        rows = [
            row.split(b"\t")[:2]
            for row in git(tmp_path, "apply", "--numstat", "-z", data=render_patch(proposal)).split(b"\0")
            if row
        ]
        added, removed = ([int(row[i]) for row in rows if row[i] != b"-"] for i in (0, 1))
        assert (sum(added), sum(removed)) == count_lines(proposal)


def ordinary() -> tuple[Tree, Tree]:
    lines = [b"line %d\n" % i for i in range(60)]
    edited = [*lines[:3], b"new 1\n", *lines[4:9], *lines[10:30], b"in\n", b"in\n", *lines[30:59], b"end"]
    before = {
        "sp ace.txt": FileState(REGULAR, b"".join(lines)),
        "mode": FileState(REGULAR, b"x\n"),
        "both": FileState(REGULAR, b"x\n"),
        "gone": FileState(EXECUTABLE, b"1\n2\n"),
        "empty": FileState(REGULAR, b""),
        "link": FileState(LINK, b"mode"),
        "kind": FileState(REGULAR, b"text\n"),
        "moved": FileState(REGULAR, b"".join(lines)[:-1]),
    }
    after = {
        "sp ace.txt": FileState(REGULAR, b"".join(edited)),
        "mode": FileState(EXECUTABLE, b"x\n"),
        "both": FileState(EXECUTABLE, b"y\n"),
        "neu/ü\n": FileState(REGULAR, b"other\r\nlines\r\n"),
        "link": FileState(LINK, b"both"),
        "kind": FileState(LINK, b"mode"),
        "there/moved": FileState(REGULAR, b"".join(lines)[:-1]),
    }
    return before, after


def test_the_patch_reads_as_git_itself_writes_it(tmp_path: Path) -> None:
    before, after = ordinary()
    put(tmp_path / "r", before)
    git(tmp_path / "r", "init", "-q")
    git(tmp_path / "r", "add", "-A")
    tree = git(tmp_path / "r", "write-tree").decode().strip()
    shutil.move(tmp_path / "r" / ".git", tmp_path / "git")
    put(tmp_path / "s", after)
    shutil.move(tmp_path / "git", tmp_path / "s" / ".git")
    git(tmp_path / "s", "add", "-A")
    theirs = git(tmp_path / "s", "diff", "--cached", "--full-index", "--binary", "-M60%", tree)
    # Git names functions after @@, which helps no program.
    theirs = b"".join(
        line[: line.index(b" @@") + 3] + b"\n" if line.startswith(b"@@ ") else line for line in theirs.splitlines(True)
    )
    assert render_patch(propose(changes(before, after))) == theirs


def test_a_binary_part_decodes_whatever_its_length() -> None:
    for size in (0, 1, 51, 52, 53, 1000):
        data = os.urandom(size) + b"\0"
        patch = render_patch(propose([Change("b", None, FileState(REGULAR, data))]))
        assert b"GIT binary patch\nliteral %d\n" % len(data) in patch


@pytest.mark.parametrize("proposal", [Proposal(), propose([])])
def test_no_change_is_an_empty_patch(proposal: Proposal) -> None:
    assert render_patch(proposal) == b""
