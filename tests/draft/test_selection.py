from __future__ import annotations

import pytest

from kcode.draft.files import EXECUTABLE, REGULAR, Change, FileState, Proposal
from kcode.draft.hunks import propose
from kcode.draft.selection import keys_of, select_hunks
from kcode.errors import UsageError


def text(data: bytes, mode: int = REGULAR) -> FileState:
    return FileState(mode, data)


PROPOSAL = propose(
    [
        Change("src/a.py", text(b"1\n2\n3\n"), text(b"one\n2\nthree\n")),
        Change("src/deep/b.py", text(b"1\n"), text(b"2\n")),
        Change("run.sh", text(b"x\n"), text(b"x\n", EXECUTABLE)),
    ]
)
RUN, A, B = PROPOSAL.changes


def test_a_hunk_is_named_by_the_beginning_of_its_id() -> None:
    assert select_hunks(PROPOSAL, [A.hunks[1].id[:6]]) == {A.hunks[1].id}


def test_words_are_files_folders_patterns_and_all_and_may_be_joined() -> None:
    everything = keys_of(A) | keys_of(B) | {"run.sh"}
    assert select_hunks(PROPOSAL, ["src/a.py"]) == keys_of(A)
    assert select_hunks(PROPOSAL, ["src/"]) == select_hunks(PROPOSAL, ["src"]) == keys_of(A) | keys_of(B)
    assert select_hunks(PROPOSAL, ["*.py"]) == keys_of(A) | keys_of(B)
    assert select_hunks(PROPOSAL, ["all"]) == everything
    assert select_hunks(PROPOSAL, [f"run.sh,{A.hunks[0].id}", "src/deep"]) == {"run.sh", A.hunks[0].id} | keys_of(B)
    assert select_hunks(PROPOSAL, [""]) == frozenset()


def test_names_are_seen_from_the_users_folder_and_from_the_root() -> None:
    assert select_hunks(PROPOSAL, ["a.py"], "src") == keys_of(A)
    assert select_hunks(PROPOSAL, ["../../run.sh", "src/a.py"], "src/deep") == {"run.sh"} | keys_of(A)
    assert select_hunks(PROPOSAL, ["."], "src/deep") == keys_of(B)
    assert select_hunks(PROPOSAL, ["."]) == select_hunks(PROPOSAL, ["./"]) == select_hunks(PROPOSAL, ["all"])
    with pytest.raises(UsageError, match="no hunk and no file"):
        select_hunks(PROPOSAL, ["deep/a.py"], "src")


def test_a_comma_may_be_part_of_a_name_or_a_pattern() -> None:
    (change,) = propose([Change("a,b", None, text(b"1\n"))]).changes
    assert select_hunks(Proposal((change,)), ["a,b"]) == keys_of(change)
    assert select_hunks(PROPOSAL, ["*.{py,sh}"]) == select_hunks(PROPOSAL, ["all"])


def test_a_file_that_is_decided_whole_is_chosen_by_its_path() -> None:
    assert keys_of(RUN) == {"run.sh"}


@pytest.mark.parametrize("word", ["nothing.py", "ffffffffffff", A.hunks[0].id[:2], "[", "a.py/"])
def test_a_word_that_fits_nothing_is_refused_by_name(word: str) -> None:
    with pytest.raises(UsageError, match=r"kcode diff --hunks|Is [0-9a-f]{12} meant\? Give at least"):
        select_hunks(PROPOSAL, [word])


def test_a_hunk_is_named_by_a_line_that_it_makes() -> None:
    assert select_hunks(PROPOSAL, ["src/a.py:3"]) == {A.hunks[1].id}
    assert select_hunks(PROPOSAL, ["a.py:1,deep/b.py:1"], "src") == {A.hunks[0].id} | keys_of(B)
    for word in ("src/a.py:2", "src:1", "src/a.py:", "nothing.py:1"):
        with pytest.raises(UsageError, match="is no hunk and no file"):
            select_hunks(PROPOSAL, [word])
