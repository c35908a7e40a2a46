"""What waits in a real draft, while the user goes on saving files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.draft.hunks import choose, propose
from kcode.draft.pending import Pending
from kcode.draft.rebase import split_conflicts
from kcode.errors import StaleError
from tests.repositories import run_over, text_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.draft.draft import Draft

LINES = [f"line {number}\n" for number in range(1, 31)]


def text(**changed: str) -> str:
    return "".join(changed.get(f"l{number}", line) for number, line in enumerate(LINES, 1))


@pytest.fixture
def file(repository: Path) -> Path:
    path = repository / "src/main.py"
    path.write_text(text())
    return path


@pytest.fixture
def pending(draft: Draft, file: Path, tmp_path: Path) -> Pending:
    draft.write("src/main.py", text_file(text(l5="model 5\n", l20="model 20\n")), "edit_file")
    assert file.exists()
    return Pending(draft.workspace, draft, tmp_path / "journal")


def test_the_draft_takes_in_what_the_user_saved_so_that_tests_run_over_both(
    pending: Pending, file: Path, draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    file.write_text(text(l1="user 1\n"))
    only_looked = pending.proposal()
    assert pending.draft.read("src/main.py") == text_file(text(l5="model 5\n", l20="model 20\n"))
    assert pending.merge() == only_looked
    both = text(l1="user 1\n", l5="model 5\n", l20="model 20\n")
    assert run_over(pending.draft, "cat src/main.py") == both
    assert pending.draft.settle("sh") == ()
    assert propose(draft_of(repository).changes()) == propose(pending.draft.changes()) == only_looked
    pending.apply(only_looked, "a test")
    assert file.read_text() == both
    assert not pending.proposal()
    file.write_text("the user's\n")
    assert pending.draft.read("src/main.py") == text_file("the user's\n")


def test_a_part_is_written_and_the_rest_stays_pending_whatever_the_user_does(pending: Pending, file: Path) -> None:
    file.write_text(text(l1="user 1\n"))
    proposal = pending.proposal()
    first, second = proposal.changes[0].hunks
    pending.apply(choose(proposal, {first.id}), "a test")
    assert file.read_text() == text(l1="user 1\n", l5="model 5\n")
    file.write_text(text(l1="user 1\n", l5="model 5\n", l30="user 30\n"))
    rest = pending.proposal()
    assert [hunk.id for hunk in rest.changes[0].hunks] == [second.id]
    pending.apply(rest, "a test")
    assert file.read_text() == text(l1="user 1\n", l5="model 5\n", l20="model 20\n", l30="user 30\n")
    assert not pending.proposal()


def test_a_conflict_stays_pending_is_never_written_and_ends_when_the_user_settles_it(
    pending: Pending, file: Path
) -> None:
    mine = text(l20="user 20\n")
    file.write_text(mine)
    proposal = pending.merge()
    with pytest.raises(StaleError, match=r"src/main\.py.* conflicts with what you changed"):
        pending.apply(proposal, "a test")
    assert file.read_text() == mine
    fitting, conflicting = split_conflicts(proposal)
    pending.apply(fitting, "a test")
    assert file.read_text() == text(l5="model 5\n", l20="user 20\n")
    assert split_conflicts(pending.proposal())[0] == propose([])
    assert pending.proposal().conflicts == {hunk.id for hunk in conflicting.changes[0].hunks}
    file.write_text(text(l5="model 5\n", l20="model 20\n", l30="user 30\n"))
    assert not pending.merge()
    assert not pending.draft.changes()


def test_what_was_saved_after_the_proposal_was_shown_is_not_overwritten(pending: Pending, file: Path) -> None:
    shown = pending.merge()
    file.write_text(text(l1="user 1\n"))
    with pytest.raises(StaleError, match="changed since the proposal was made"):
        pending.apply(shown, "a test")
    assert file.read_text() == text(l1="user 1\n")
    pending.apply(pending.merge(), "a test")
    assert file.read_text() == text(l1="user 1\n", l5="model 5\n", l20="model 20\n")


def test_a_moved_file_keeps_what_the_user_wrote_in_it(pending: Pending, file: Path) -> None:
    pending.draft.move("src/main.py", "src/moved.py", "move_file")
    file.write_text(text(l30="user 30\n"))
    pending.apply(pending.merge(), "a test")
    assert not file.exists()
    moved = file.with_name("moved.py")
    assert moved.read_text() == text(l5="model 5\n", l20="model 20\n", l30="user 30\n")
    assert not pending.proposal()
