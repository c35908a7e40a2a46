from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.context.repository import RepositoryLayer, packed_text, whole_text
from kcode.context.tokens import estimate_tokens

FILES = {
    "a.py": b"a = 1\n" * 400,
    "b/b.py": b"b = 1\n" * 400,
    "tests/test_a.py": b"t = 1\n" * 400,
    "README.md": b"Read me. " * 400,
    "data.csv": b"1,2\n" * 400,
    "min.js": b"x;" * 4_000,
    ".env": b"KEY=hush\n",
    "gbk.txt": "# coding: gbk\n中文\n".encode("gbk"),
    "crlf.txt": b"one\r\ntwo",
}
SIZE = st.integers(0, 8_000)


def size_of(path: str) -> int:
    return len(FILES[path])


def whole(tokens: int, files: dict[str, bytes] = FILES) -> RepositoryLayer | None:
    return whole_text(files, size_of, files.get, tokens)


def test_all_that_people_wrote_is_shown_in_the_order_of_its_paths() -> None:
    layer = whole(24_000)
    assert layer is not None
    assert list(layer.files) == ["README.md", "a.py", "b/b.py", "crlf.txt", "gbk.txt", "tests/test_a.py"]
    assert (
        '<file path="crlf.txt">\none\ntwo\n</file>\n<file path="gbk.txt">\n# coding: gbk\n中文\n</file>' in layer.text
    )
    assert "hush" not in layer.text


def test_where_that_is_too_much_the_source_alone_is_shown_and_said_to_be() -> None:
    layer = whole(5_000)
    assert layer is not None
    assert list(layer.files) == ["a.py", "b/b.py"]
    assert "tests, documents and data are not among them" in layer.text
    assert whole(3_000) is None


@given(SIZE)
def test_it_never_has_more_than_its_room(tokens: int) -> None:
    layer = whole(tokens)
    assert layer is None or estimate_tokens(layer.text) <= tokens


@given(SIZE, st.sampled_from(["", "*.py", "b/**", "*.{csv,env}"]))
def test_a_pack_never_has_more_than_its_room_and_names_what_it_leaves_out(tokens: int, glob: str) -> None:
    layer = packed_text(FILES, FILES.get, tokens, glob)
    assert estimate_tokens(layer.text) <= tokens or not layer.files
    assert not set(layer.files) & set(layer.left_out)
    assert list(layer.files) == sorted(layer.files)
    assert "hush" not in layer.text


def test_a_pack_takes_the_source_first() -> None:
    layer = packed_text(FILES, FILES.get, 5_000)
    assert list(layer.files) == ["a.py", "b/b.py", "crlf.txt", "gbk.txt"]
    assert layer.left_out == ("README.md", "tests/test_a.py")
    assert "There was no room for 2 more: README.md, tests/test_a.py." in layer.text
    assert not layer.is_whole


def test_a_pattern_packs_what_it_names_data_as_well_and_no_secret() -> None:
    assert list(packed_text(FILES, FILES.get, 50_000, "*.{csv,env}").files) == ["data.csv"]
    assert list(packed_text(FILES, FILES.get, 50_000, "b/**").files) == ["b/b.py"]
    assert packed_text(FILES, FILES.get, 50_000, "nothing/*").files == {}
    with pytest.raises(ValueError, match="not valid"):
        packed_text(FILES, FILES.get, 50_000, "[z-a]")


def test_the_whole_repository_packed_says_so() -> None:
    assert packed_text(FILES, FILES.get, 50_000).is_whole
