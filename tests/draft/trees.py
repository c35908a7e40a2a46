"""Small trees of files and edits between them, made by hypothesis, and a plain git to compare with."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState

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
