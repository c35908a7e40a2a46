from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.context.requested import Requested, find_requested, show_requested
from kcode.context.tokens import estimate_tokens

LONG = "".join(f"def part_{n}(value):\n    return value + {n}\n\n\n" for n in range(600)).encode()
FILES: dict[str, bytes] = {
    "src/app.py": b"import os\n\nx = 1\n",
    "src/long.py": LONG,
    "src/my plan.txt": b"one\n",
    "README.md": b"Hi.\n",
    "a.bin": b"\0\1",
    "empty.txt": b"",
    ".env": b"KEY=hush\n",
}


def kind(path: str) -> str | None:
    if path in FILES:
        return "file"
    return "folder" if path == "." or any(name.startswith(f"{path}/") for name in FILES) else None


def named(words: str, start: str = "") -> list[Requested]:
    return list(find_requested(words, list(FILES), start, kind).places)


def shown(words: str, tokens: int = 40_000, most: int = 12_000, known: tuple[str, ...] = ()) -> str:
    wanted = find_requested(words, list(FILES), "", kind)
    return "\n\n".join(one.text for one in show_requested(wanted, list(FILES), FILES.get, tokens, most, known))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("see @src/app.py.", [Requested("src/app.py")]),
        ("(@src/app.py:3) and @README.md#L1-L2", [Requested("src/app.py", (3,)), Requested("README.md", (1, 2))]),
        ('read @"src/my plan.txt", then go', [Requested("src/my plan.txt")]),
        ("look at @src/", [Requested("src/")]),
        ("look at @src and @.", [Requested("src/"), Requested("./")]),
        ("app.py fails in README.md", [Requested("src/app.py"), Requested("README.md")]),
        ('File "/home/me/x/src/app.py", line 3, in f', [Requested("src/app.py", (3,))]),
        ("mail me@example.org, or @pytest.fixture, or @someone", []),
        ("@../etc/passwd @/etc/passwd @nothing.py", []),
    ],
)
def test_what_is_named_is_found(words: str, found: list[Requested]) -> None:
    assert named(words) == found


def test_a_mention_is_first_looked_for_where_the_user_stands() -> None:
    assert named("@app.py", "src") == [Requested("src/app.py")]
    assert named("@README.md", "src") == [Requested("README.md")]


def test_files_are_shown_with_their_lines_and_folders_with_their_files() -> None:
    assert shown("@src/app.py") == "src/app.py, all 3 lines:\n1→import os\n2→\n3→x = 1"
    assert shown("@src/") == "src/\nsrc/app.py\nsrc/long.py\nsrc/my plan.txt"


def test_what_cannot_be_shown_says_why() -> None:
    assert shown("@a.bin") == "a.bin is not shown: it is a binary file of 2 bytes."
    assert shown("@empty.txt") == "empty.txt is empty."
    assert "hush" not in shown("@.env")
    assert "passwords or keys" in shown("@.env")


def test_of_a_long_file_the_outline_and_the_places_that_are_meant_are_shown() -> None:
    text = shown("part_400() fails, see src/long.py:1001", most=3_000)
    assert "src/long.py has 2400 lines, too many to show here." in text
    assert "1-2 def part_0(value):" in text
    assert "1602→    return value + 400" in text
    assert "1001→def part_250(value):" in text
    assert estimate_tokens(text) <= 3_000


def test_what_is_shown_already_is_not_shown_again() -> None:
    assert shown("@src/app.py", known=("src/app.py",)) == ""


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_it_never_takes_more_room_than_there_is(tokens: int, most: int) -> None:
    wanted = find_requested("@src/long.py @src/app.py @README.md", list(FILES), "", kind)
    found = show_requested(wanted, list(FILES), FILES.get, tokens, most)
    assert sum(estimate_tokens(one.text) for one in found if one.path) <= tokens
    assert {one.path for one in found} <= {"", "src/long.py", "src/app.py", "README.md"}


@given(st.text(st.sampled_from('@./:ab#L1-"\\ \n\0\ud800é'), max_size=40))
def test_any_words_can_be_read(words: str) -> None:
    named(words, "src")
