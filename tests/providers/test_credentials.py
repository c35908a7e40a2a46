from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.errors import UsageError
from kcode.providers.credentials import forget_key, store_key, with_entry, without_entry
from kcode.settingsfiles import read_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = Path("credentials")
NAMES = st.text("abc-._:09[]\"'\\é", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


@pytest.fixture(autouse=True, scope="module")
def no_keyring() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield


def test_a_key_is_kept_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "kcode" / "credentials"
    assert str(path) in store_key(path, "moonshot", "sk-1")
    assert read_credentials(path) == {"moonshot": "sk-1"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["credentials"]


def test_other_entries_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(b'# mine\r\nmoonshot = \'old\'   # work\r\n\n"corp:1" = "x" # moonshot = "no"')
    path.chmod(0o600)
    store_key(path, "moonshot", 'sk-"\\')
    store_key(path, "openrouter", "sk-2")
    assert path.read_bytes() == (
        b'# mine\r\nmoonshot = "sk-\\"\\\\"   # work\r\n\n"corp:1" = "x" # moonshot = "no"\nopenrouter = "sk-2"\n'
    )
    assert forget_key(path, "moonshot")
    assert not forget_key(path, "moonshot")
    assert path.read_bytes() == b'# mine\r\n\n"corp:1" = "x" # moonshot = "no"\nopenrouter = "sk-2"\n'


@given(entries=st.dictionaries(NAMES, VALUES, max_size=4), name=NAMES, value=VALUES)
def test_whatever_was_stored_is_read_again(entries: dict[str, str], name: str, value: str) -> None:
    text = "# keys\n"
    for known, stored in entries.items():
        text = with_entry(text, known, stored, PATH)
    assert tomllib.loads(text) == entries
    more = with_entry(text, name, value, PATH)
    assert tomllib.loads(more) == entries | {name: value}
    left = without_entry(more, name, PATH)
    assert tomllib.loads(left) == {known: stored for known, stored in entries.items() if known != name}
    assert left.startswith("# keys\n")


@pytest.mark.parametrize("text", ['moonshot = """\nsk-1"""', 'other = """\nmoonshot = "x"\n"""'])
def test_what_cannot_be_edited_line_by_line_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="cannot edit"):
        store_key(path, "moonshot", "sk-2")
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["[moonshot]", "moonshot = 3", "moonshot ="])
def test_a_file_that_is_none_of_keys_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError):
        store_key(path, "openrouter", "sk-2")
    assert path.read_text() == text


def test_a_link_and_a_file_that_others_can_read_are_refused(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "credentials"
    real.write_text("")
    link.symlink_to(real)
    with pytest.raises(UsageError, match="is a link"):
        store_key(link, "moonshot", "sk-1")
    real.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        store_key(real, "moonshot", "sk-1")
    assert real.read_text() == ""


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be"):
        store_key(tmp_path / "file" / "credentials", "moonshot", "sk-1")
