"""One draft that two processes have open: a session that goes on, and commands that reject or apply meanwhile."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.draft import open_draft
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import can_mount_overlay, new_repository, text_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.draft.draft import Draft

TEXTS = {"a": "a\n", "b": "b\n", "c": "c\n"}


def changed(draft: Draft) -> dict[str, str]:
    return {change.path: change.after.data.decode() if change.after else "-" for change in draft.changes()}


def test_what_one_took_back_does_not_come_again_with_what_the_other_saves(
    draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    session = draft_of(repository)
    session.write("src/main.py", text_file("print('two')\n"), "edit_file")
    command = draft_of(repository)
    command.write("src/main.py", text_file("print('one')\n"), "you")
    session.write("README.md", text_file("# Other\n"), "edit_file")
    later = draft_of(repository)
    assert changed(later) == {"README.md": "# Other\n"}
    # What was taken back shows as the user has it, also from here on.
    (repository / "src/main.py").write_text("print('mine')\n")
    for draft in (session, later):
        draft.mount()
        assert draft.settle("a command") == ()
        state = draft.read("src/main.py")
        assert state is not None
        assert state.data == b"print('mine')\n"


@settings(max_examples=12)
@given(
    backend=st.sampled_from(["copy", *(["overlay"] if can_mount_overlay() else [])]),
    steps=st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from("abc"), st.sampled_from(["old", "x", "y"])), max_size=8
    ),
)
def test_whoever_writes_it_the_draft_is_as_the_last_writes_left_it(
    backend: Literal["copy", "overlay"], steps: list[tuple[int, str, str]]
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        new_repository(root / "repository", TEXTS)
        drafts = [opened(root, backend) for _ in range(2)]
        expected: dict[str, str] = {}
        for who, path, text in steps:
            expected[path] = TEXTS[path] if text == "old" else f"{text}\n"
            drafts[who].write(path, text_file(expected[path]), "edit_file")
        wanted = {path: text for path, text in expected.items() if text != TEXTS[path]}
        assert changed(opened(root, backend)) == wanted


def opened(root: Path, backend: Literal["copy", "overlay"]) -> Draft:
    workspace = open_workspace(root / "repository", {"HOME": "/nonexistent"})
    return open_draft(workspace, open_git(workspace, root), root / "draft", backend)
