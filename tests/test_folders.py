from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.errors import SessionError, WorkspaceError
from kcode.folders import (
    cache_folder_for,
    config_folder,
    is_marked,
    make_folder,
    remove_folder,
    state_folder,
    state_folder_for,
    temporary_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = ".made-by-kcode"
NOBODY = 65534


@pytest.fixture
def unprivileged_folder() -> Iterator[Path]:
    """An empty folder, in a test that runs without root's rights over every file."""
    folder = Path(tempfile.mkdtemp(prefix="kcode-test-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
            os.setegid(0)
        shutil.rmtree(folder, ignore_errors=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_the_folders_follow_the_environment() -> None:
    environment = {"HOME": "/home/someone"}
    assert config_folder(environment) == Path("/home/someone/.config/kcode")
    assert state_folder(environment) == Path("/home/someone/.local/state/kcode")
    environment |= {"XDG_CONFIG_HOME": "/etc/mine", "XDG_STATE_HOME": "relative/is/ignored"}
    assert config_folder(environment) == Path("/etc/mine/kcode")
    assert state_folder(environment) == Path("/home/someone/.local/state/kcode")


def test_the_cache_lies_outside_the_workspace(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert cache_folder_for(state | {"HOME": str(tmp_path)}, work) == tmp_path / ".cache/kcode"
    assert cache_folder_for(state | {"XDG_CACHE_HOME": str(tmp_path / "c")}, work) == tmp_path / "c/kcode"
    assert cache_folder_for(state | {"XDG_CACHE_HOME": str(work / "c")}, work) == tmp_path / "state/kcode/cache"


def test_the_state_lies_where_it_usually_does_with_links_resolved(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    (tmp_path / "work").mkdir()
    found = state_folder_for({"HOME": str(tmp_path / "link")}, tmp_path / "work")
    assert found == tmp_path / "home/.local/state/kcode"
    assert not found.exists()


def test_state_inside_the_workspace_moves_out_of_it(tmp_path: Path) -> None:
    home, spare = tmp_path / "home", tmp_path / "spare"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    for root in (home, home / ".local", tmp_path / "link"):
        assert state_folder_for({"HOME": str(home)}, root, spare) == spare
        assert mode(spare) == 0o700
    # A sibling whose name starts alike is not inside.
    assert state_folder_for({"HOME": f"{home}-too"}, home, spare) == tmp_path / "home-too/.local/state/kcode"


def test_the_spare_folder_is_of_the_user_alone() -> None:
    spare = Path(f"/var/tmp/kcode-{os.geteuid()}")
    was_there = spare.exists()
    found = state_folder_for({"HOME": "/home/someone"}, Path("/home"))
    assert found == spare
    assert spare.stat().st_uid == os.geteuid()
    if not was_there:
        spare.rmdir()


def test_a_spare_folder_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    home, spare = tmp_path / "home", tmp_path / "spare"
    spare.mkdir()
    for bits in (0o770, 0o755, 0o707):
        spare.chmod(bits)
        with pytest.raises(SessionError, match="not a folder that you alone can use"):
            state_folder_for({"HOME": str(home)}, home, spare)
    spare.rmdir()
    (tmp_path / "theirs").mkdir(mode=0o700)
    spare.symlink_to(tmp_path / "theirs")
    with pytest.raises(SessionError, match="not a folder that you alone can use"):
        state_folder_for({"HOME": str(home)}, home, spare)
    spare.unlink()
    spare.write_text("a file", encoding="utf-8")
    with pytest.raises(SessionError, match="cannot be made"):
        state_folder_for({"HOME": str(home)}, home, spare)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to someone else")
def test_a_spare_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    spare = tmp_path / "spare"
    spare.mkdir(mode=0o700)
    os.chown(spare, NOBODY, NOBODY)
    with pytest.raises(SessionError, match="not a folder that you alone can use"):
        state_folder_for({"HOME": str(tmp_path / "home")}, tmp_path / "home", spare)


def test_a_workspace_with_nothing_outside_is_refused() -> None:
    with pytest.raises(WorkspaceError, match="cannot lie outside /"):
        state_folder_for({"HOME": "/home/someone"}, Path("/"))


def test_a_folder_of_kcodes_own_is_marked_and_private(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "state" / "kcode" / "one")
    assert mode(folder) == 0o700
    assert mode(folder / MARK) == 0o600
    assert is_marked(folder)
    assert not is_marked(folder.parent)
    assert make_folder(folder) == folder


def test_a_folder_that_holds_something_is_never_marked(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o755)
    (folder / "precious").write_text("x", encoding="utf-8")
    assert make_folder(folder) == folder
    assert not is_marked(folder)
    assert mode(folder) == 0o755
    with pytest.raises(SessionError, match="is not a folder that kcode made"):
        remove_folder(folder)
    assert (folder / "precious").exists()


def test_a_fresh_folder_is_never_one_that_was_there(tmp_path: Path) -> None:
    make_folder(tmp_path / "one", fresh=True)
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "one", fresh=True)


def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(unprivileged_folder: Path) -> None:
    (unprivileged_folder / "file").write_text("x", encoding="utf-8")
    with pytest.raises(SessionError, match="XDG_STATE_HOME"):
        make_folder(unprivileged_folder / "file")
    with pytest.raises(SessionError, match=r"cannot be made: Not a directory.*XDG_STATE_HOME"):
        make_folder(unprivileged_folder / "file" / "below" / "it")
    unprivileged_folder.chmod(0o500)
    with pytest.raises(SessionError, match=r"cannot be made: Permission denied.*XDG_STATE_HOME"):
        make_folder(unprivileged_folder / "one")


def test_a_marked_folder_is_deleted_with_all_in_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "session")
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "deep" / "deeper" / "file").write_text("x", encoding="utf-8")
    (folder / "deep" / MARK).write_text("a file like any other", encoding="utf-8")
    os.mkfifo(folder / "deep" / "pipe")
    remove_folder(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["", ".", "/", "~", "relative/folder", "/nonexistent/folder", "/tmp", "/var/tmp/.."])
def test_a_folder_that_is_not_kcodes_is_never_deleted(path: str) -> None:
    with pytest.raises(SessionError, match="is not a folder that kcode made"):
        remove_folder(Path(path))


def test_a_home_folder_is_never_deleted_even_with_a_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_folder(tmp_path / "homes") / "someone"
    make_folder(home)
    monkeypatch.setenv("HOME", str(home))
    for folder in (home, home.parent):
        with pytest.raises(SessionError, match="is not a folder that kcode made"):
            remove_folder(folder)
    assert is_marked(home)


def test_a_folder_reached_by_a_link_is_never_deleted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "real" / "session")
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "parent").symlink_to(folder.parent)
    for path in (tmp_path / "link", tmp_path / "parent" / "session", folder / ".." / "session"):
        with pytest.raises(SessionError, match="is not a folder that kcode made"):
            remove_folder(path)
    assert is_marked(folder)


def test_a_mark_that_is_no_plain_file_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "mark").touch()
    (tmp_path / "one" / MARK).symlink_to(tmp_path / "mark")
    (tmp_path / "two" / MARK).mkdir(parents=True)
    for name in ("one", "two"):
        with pytest.raises(SessionError, match="is not a folder that kcode made"):
            remove_folder(tmp_path / name)


def test_what_a_link_inside_points_to_is_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    (outside / "precious").write_text("x", encoding="utf-8")
    (outside / "precious").chmod(0o440)
    folder = make_folder(tmp_path / "session")
    (folder / "to-folder").symlink_to(outside)
    (folder / "to-file").symlink_to(outside / "precious")
    (folder / "to-nothing").symlink_to(tmp_path / "nothing")
    (folder / "round").symlink_to(folder)
    os.link(outside / "precious", folder / "hard")
    remove_folder(folder)
    assert not folder.exists()
    assert (outside / "precious").read_text(encoding="utf-8") == "x"
    assert (mode(outside), mode(outside / "precious")) == (0o750, 0o440)


def test_folders_without_rights_inside_are_deleted_too(unprivileged_folder: Path) -> None:
    folder = make_folder(unprivileged_folder / "session")
    for name, bits in (("work", 0o000), ("read-only", 0o500), ("write-only", 0o300)):
        (folder / name / "inner").mkdir(parents=True)
        (folder / name / "inner" / "file").write_text("x", encoding="utf-8")
        (folder / name / "inner").chmod(bits)
        (folder / name).chmod(bits)
    folder.chmod(0o500)
    remove_folder(folder)
    assert not folder.exists()
    assert mode(unprivileged_folder) == 0o700


def test_a_removal_that_cannot_end_says_so_and_can_be_repeated(unprivileged_folder: Path) -> None:
    folder = make_folder(unprivileged_folder / "session")
    (folder / "file").write_text("x", encoding="utf-8")
    unprivileged_folder.chmod(0o500)
    with pytest.raises(SessionError, match=r"cannot be deleted whole: .*Permission denied"):
        remove_folder(folder)
    assert mode(unprivileged_folder) == 0o500
    unprivileged_folder.chmod(0o700)
    remove_folder(folder)
    assert not folder.exists()


def test_a_tree_too_deep_for_any_path_is_deleted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "session")
    # 3,000 levels: longer than a path may be, deeper than Python recurses.
    program = "import os\nfor _ in range(3000):\n    os.mkdir('deeper')\n    os.chdir('deeper')\n"
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
    remove_folder(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_mounted_file_system_is_not_entered(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", make_folder(tmp_path / "session")
    outside.mkdir()
    (outside / "precious").write_text("x", encoding="utf-8")
    (folder / "mounted").mkdir()
    code = (
        "from pathlib import Path\nfrom kcode.errors import SessionError\nfrom kcode.folders import remove_folder\n"
        f"try:\n    remove_folder(Path({str(folder)!r}))\nexcept SessionError:\n    print('refused')\n"
    )
    script = 'mount --bind "$1" "$2/mounted" && exec "$3" -c "$4"'
    ran = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", outside, folder, sys.executable, code],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip(f"this machine cannot mount in a namespace: {ran.stderr.strip()}")
    assert (ran.stdout, ran.stderr) == ("refused\n", "")
    assert (outside / "precious").exists()


def test_a_temporary_folder_is_gone_at_the_end_however_that_comes(tmp_path: Path) -> None:
    def work() -> None:
        with temporary_folder(tmp_path, "partial") as folder:
            (folder / "deep/er").mkdir(parents=True)
            (folder / "deep").chmod(0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_folders_of_killed_processes_are_deleted_and_those_in_use_are_not(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys; from kcode.folders import temporary_folder\n"
        "with temporary_folder(pathlib.Path(sys.argv[1]), 'partial') as folder:\n"
        "    (folder / 'file').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    (left,) = tmp_path.glob("partial-*")
    (tmp_path / "partial-mine").mkdir()
    with temporary_folder(tmp_path, "partial") as one, temporary_folder(tmp_path, "partial") as other:
        assert set(tmp_path.iterdir()) == {one, other, tmp_path / "partial-mine"}
        assert left not in {one, other}
