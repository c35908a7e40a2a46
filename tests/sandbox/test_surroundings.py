from __future__ import annotations

import os
from pathlib import Path

import pytest

from kcode.draft.files import FolderMount, OverlayMount
from kcode.sandbox.seatbelt import seatbelt_profile
from kcode.sandbox.surroundings import Layer, command_environment, git_folders, layers


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "work" / ".git").mkdir(parents=True)
    return tmp_path / "home"


def seen(home: Path, root: Path | None = None, **environment: str) -> dict[str, Layer]:
    mount = OverlayMount(root or home / "work", home / "u", home / "w")
    found = layers(mount, {"HOME": str(home), "PATH": "/usr/bin:/bin"} | environment)
    paths = [layer.path for layer in found]
    assert len(paths) == len(set(paths))
    for at, path in enumerate(paths):
        assert not any(path.startswith(later + "/") for later in paths[at:]), "an outer layer would cover an inner one"
    return {layer.path: layer for layer in found}


def test_the_workspace_is_writable_and_its_git_data_is_not(home: Path) -> None:
    found = seen(home)
    assert found[str(home / "work")].kind == "writable"
    assert found[str(home / "work" / ".git")].kind == "shown"
    assert found["/tmp"].kind == "private"


def test_a_mask_never_covers_the_home_or_the_workspace_as_a_whole(home: Path) -> None:
    for folder in (home, home.parent, Path("/"), home / "work"):
        found = seen(home, DOCKER_CONFIG=str(folder))
        assert found.get(str(folder), Layer("shown", "")).kind not in {"empty", "null"}


def test_a_secret_inside_the_workspace_is_masked_over_it(home: Path) -> None:
    (home / ".ssh").mkdir()
    found = seen(home, root=home)
    assert found[str(home)].kind == "writable"
    assert found[str(home / ".ssh")].kind == "empty"


def test_a_secret_behind_a_link_is_masked_where_it_is(home: Path) -> None:
    (home / "vault").mkdir()
    (home / ".ssh").symlink_to(home / "vault")
    assert seen(home)[str(home / "vault")].kind == "empty"


def test_an_installation_is_shown_whole_but_never_a_hidden_folder_itself(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tool" / "bin").mkdir(parents=True)
    (home / ".docker" / "bin").mkdir(parents=True)
    found = seen(home, PATH=f"/tmp:{tmp_path}/tool/bin:{home}/.docker/bin")
    assert found[str(tmp_path / "tool")].kind == "shown"
    assert found["/tmp"].kind == "private"
    assert found[str(home / ".docker")].kind == "empty"
    assert found[str(home / ".docker" / "bin")].kind == "shown"


def test_an_entry_of_path_that_cannot_be_looked_at_is_passed_over(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tool" / "bin").mkdir(parents=True)
    # A name too long fails as a folder does that the user may not reach, for root too.
    found = seen(home, PATH=f"/tmp/{'x' * 300}/bin:{tmp_path}/tool/bin")
    assert found[str(tmp_path / "tool")].kind == "shown"


def test_a_link_in_a_hidden_folder_is_shown_under_its_name(home: Path, tmp_path: Path) -> None:
    (tmp_path / "real" / "bin").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = seen(home, VIRTUAL_ENV=str(tmp_path / "link"))
    assert found[str(tmp_path / "link")].source == str(tmp_path / "real")
    assert found[str(tmp_path / "real")].kind == "shown"


def test_a_link_in_a_folder_that_is_shown_comes_with_it(home: Path) -> None:
    # Nothing can be mounted on a link.
    (home / "work" / "bin").mkdir()
    (home / "bin").symlink_to(home / "work" / "bin")
    found = seen(home, PATH=f"{home}/bin")
    assert found[str(home)].kind == "shown"
    assert str(home / "bin") not in found


def test_git_data_outside_the_workspace_needs_no_layer_of_its_own(home: Path, tmp_path: Path) -> None:
    (tmp_path / "main" / "worktrees" / "w").mkdir(parents=True)
    (tmp_path / "main" / "worktrees" / "w" / "commondir").write_text("../..\n")
    root = home / "tree"
    root.mkdir()
    (root / ".git").write_text(f"gitdir: {tmp_path}/main/worktrees/w\n")
    assert git_folders(root) == [root / ".git"]


def test_git_data_that_points_to_the_workspace_itself_does_not_lock_it(home: Path) -> None:
    root = home / "tree"
    root.mkdir()
    (root / ".git").write_text("gitdir: .\n")
    assert git_folders(root) == [root / ".git"]


def test_a_linked_folder_that_is_gone_is_left_out(home: Path) -> None:
    (home / "copy").mkdir()
    mount = FolderMount(home / "copy", home / "work", (".git", "node_modules"))
    paths = {layer.path for layer in layers(mount, {"HOME": str(home)})}
    assert str(home / "work" / ".git") in paths
    assert str(home / "work" / "node_modules") not in paths


def test_a_key_is_not_passed_even_when_it_is_named() -> None:
    given = {"X_API_KEY": "k", "KCODE_API_KEY": "k", "FLAG": "1", "OTHER": "2", "HOME": "/h"}
    passed = command_environment(given, ("X_API_KEY", "KCODE_API_KEY", "FLAG"))
    assert passed["FLAG"] == "1"
    assert "k" not in passed.values()
    assert "OTHER" not in passed
    assert os.pathsep in passed["PATH"]


def test_a_profile_for_macos_quotes_its_paths_and_ends_with_what_is_protected(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted\\ one'
    (folder / ".git").mkdir(parents=True)
    lines = seatbelt_profile(folder, ["/secret"]).splitlines()
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    assert lines[-1] == f'(deny file-write* (subpath "{quoted}/.git"))'
    assert lines[-2] == f'(allow file-read* file-write* (subpath "{quoted}"))'
    assert lines[-3] == '(deny file-read* file-write* (subpath "/secret"))'
    assert "(deny network*)" in lines
