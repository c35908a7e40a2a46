from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.draft.files import FolderMount, OverlayMount
from kcode.errors import SandboxError
from tests.sandbox.place import Place, make_place

if TYPE_CHECKING:
    from kcode.sandbox import Rung, Sandbox

AWKWARD = "a 'b\" c,d:e\\f $g é " + os.fsdecode(b"\xff")


def test_a_command_writes_into_the_draft_and_the_workspace_stays(place: Place) -> None:
    result = place.sh("echo new > made.txt; echo more >> kept.txt; rm folder/inner.txt; cat made.txt kept.txt; pwd")
    assert (result.exit_code, result.output) == (0, f"new\nkept\nmore\n{place.root}\n")
    assert (place.drafted / "made.txt").read_text() == "new\n"
    assert (place.drafted / "kept.txt").read_text() == "kept\nmore\n"
    assert sorted(path.name for path in place.root.iterdir()) == [".git", "folder", "kept.txt"]
    assert (place.root / "kept.txt").read_text() == "kept\n"
    assert (place.root / "folder" / "inner.txt").read_text() == "inner\n"


def test_the_next_command_sees_what_the_last_one_did(place: Place) -> None:
    place.sh("mv kept.txt moved.txt; rm -r folder")
    assert place.sh("ls").output == "moved.txt\n"


def test_a_command_starts_in_the_folder_that_is_named(place: Place) -> None:
    assert place.sh("pwd", folder="folder").output == f"{place.root}/folder\n"
    with pytest.raises(SandboxError, match="nowhere"):
        place.sh("pwd", folder="nowhere")
    with pytest.raises(SandboxError, match="not a folder of the workspace"):
        place.sh("pwd", folder="../..")


def test_nothing_outside_the_draft_can_be_written(place: Place) -> None:
    (place.home / "sibling").mkdir()
    targets = ["$HOME/.kcode-canary", "$HOME/sibling/x", "/etc/kcode-canary", ".git/hooks/x", ".git/config", "/x"]
    try:
        for target in targets:
            result = place.sh(f"echo x >> {target}")
            assert result.exit_code != 0, target
            assert "ead-only" in result.output or "ermission denied" in result.output, target
        assert not Path("/etc/kcode-canary").exists()
        assert not (place.home / ".kcode-canary").exists()
        assert list((place.home / "sibling").iterdir()) == []
    finally:
        Path("/etc/kcode-canary").unlink(missing_ok=True)


def test_git_data_can_be_read_but_neither_changed_nor_moved(place: Place) -> None:
    before = (place.root / ".git" / "config").read_bytes()
    assert place.sh("git config core.fsmonitor evil").exit_code != 0
    assert place.sh("mv .git elsewhere").exit_code != 0
    place.sh("rm -rf .git")
    assert place.sh("git status --porcelain").output == "?? folder/\n?? kept.txt\n"
    assert (place.root / ".git" / "config").read_bytes() == before
    assert not (place.drafted / "elsewhere").exists()


def test_a_git_folder_that_a_git_file_points_to_inside_the_workspace_is_read_only_too(place: Place) -> None:
    (place.root / ".git").rename(place.root / "git-data")
    (place.root / ".git").write_text("gitdir: git-data\n")
    if isinstance(place.mount, FolderMount):
        for name in ("git-data", ".git"):
            subprocess.run(["cp", "-r", str(place.root / name), str(place.mount.source / name)], check=True)
    assert place.sh("echo x > git-data/hooks/x").exit_code != 0
    assert place.sh("echo x > .git").exit_code != 0
    assert "kept.txt" in place.sh("git status --porcelain").output


def test_a_linked_folder_of_a_copy_is_the_users_own_and_read_only(place: Place) -> None:
    if not isinstance(place.mount, FolderMount):
        pytest.skip("an overlay shows all folders anyway")
    (place.root / "node_modules").mkdir()
    (place.root / "node_modules" / "m.js").write_text("m\n")
    mount = FolderMount(place.mount.source, place.root, (".git", "node_modules", "gone"))
    place = Place(place.sandbox, mount, place.root, place.home, place.environment)
    result = place.sh("cat node_modules/m.js; echo x > node_modules/x")
    assert result.output.startswith("m\n")
    assert result.exit_code != 0
    assert not (place.root / "node_modules" / "x").exists()


def test_temporary_folders_are_private_and_empty(place: Place) -> None:
    result = place.sh('for f in /tmp /var/tmp /run; do echo x > $f/kcode-canary || echo "no $f"; done; ls /run')
    assert result.output == "kcode-canary\n"
    assert not any(Path(folder, "kcode-canary").exists() for folder in ("/tmp", "/var/tmp", "/run"))
    assert place.sh('[ -e /tmp/kcode-canary ]; echo $?; stat -c %a "$TMPDIR"').output == "1\n1777\n"


def test_the_output_folder_is_shown_read_only(place: Place) -> None:
    outputs = place.home / ".local" / "state" / "kcode" / "outputs"
    outputs.mkdir()
    (outputs / "1.txt").write_text("all of it\n")
    result = place.sh("cat /tmp/kcode-output/1.txt; echo x > /tmp/kcode-output/2.txt", outputs=outputs)
    assert result.output.startswith("all of it\n")
    assert result.exit_code != 0


def test_a_report_folder_takes_what_the_command_leaves_there(place: Place) -> None:
    reports = place.home / ".local" / "state" / "kcode" / "reports"
    reports.mkdir()
    assert place.sh("echo report > /tmp/kcode-report/r.xml", reports=reports).exit_code == 0
    assert (reports / "r.xml").read_text() == "report\n"


def test_what_a_command_deletes_is_marked_in_the_upper_folder(place: Place) -> None:
    if not isinstance(place.mount, OverlayMount):
        pytest.skip("only an overlay marks what is deleted")
    assert place.sh("rm folder/inner.txt; mv kept.txt moved.txt").exit_code == 0
    for path in (place.mount.upper / "folder" / "inner.txt", place.mount.upper / "kept.txt"):
        status = path.lstat()
        is_device = stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
        assert is_device or "user.overlay.whiteout" in os.listxattr(path)
    assert (place.mount.upper / "moved.txt").read_text() == "kept\n"


def test_a_linked_worktree_shows_its_git_data_read_only(place: Place) -> None:
    git = ["git", "-C", str(place.root), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    tree = place.home / "tree"
    subprocess.run([*git, "worktree", "add", "-q", str(tree)], check=True, capture_output=True)
    mount: OverlayMount | FolderMount
    if isinstance(place.mount, OverlayMount):
        mount = OverlayMount(tree, place.mount.upper, place.mount.work)
    else:
        mount = FolderMount(place.mount.source, tree, (".git",))
    place = Place(place.sandbox, mount, tree, place.home, place.environment)
    assert place.sh("touch new; git status --porcelain").output.endswith("?? new\n")
    assert place.sh("git -c user.name=n -c user.email=e commit --allow-empty -m x").exit_code != 0
    assert place.sh("git config core.fsmonitor evil").exit_code != 0


def test_secrets_are_hidden_wherever_the_environment_says_that_they_are(place: Place) -> None:
    home = place.home
    named = {
        "XDG_CONFIG_HOME": home / "elsewhere",
        "XDG_STATE_HOME": home / "states",
        "AWS_SHARED_CREDENTIALS_FILE": home / "aws.ini",
        "GNUPGHOME": home / "keys",
    }
    secrets = [".ssh/id_rsa", ".netrc", ".config/gh/hosts.yml", ".config/kcode/credentials", ".aws/credentials"]
    secrets += ["elsewhere/gh/hosts.yml", "elsewhere/kcode/credentials", "states/kcode/session", "aws.ini", "keys/k"]
    for name in secrets:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("SECRET")
    (home / "plain").write_text("READABLE")
    place = place.with_environment(**{name: str(path) for name, path in named.items()})
    result = place.sh(f"cd {home}; cat plain {' '.join(secrets)}; cd; echo x > .ssh/x || grep -r SECRET . && exit 9")
    assert "SECRET" not in result.output
    assert "READABLE" in result.output
    assert result.exit_code != 9


def test_a_workspace_inside_a_hidden_folder_shows(place: Place) -> None:
    inside = place.home / ".config" / "kcode" / "tools"
    inside.mkdir(parents=True)
    (inside.parent / "credentials").write_text("SECRET")
    (inside / "kept.txt").write_text("kept\n")
    mount: OverlayMount | FolderMount
    if isinstance(place.mount, OverlayMount):
        mount = OverlayMount(inside, place.mount.upper, place.mount.work)
    else:
        mount = FolderMount(place.mount.source, inside)
    place = Place(place.sandbox, mount, inside, place.home, place.environment)
    result = place.sh("cat kept.txt; echo x > made; ls ..; cat ../credentials; echo x > ../y")
    assert result.output.startswith("kept\ntools\n")
    assert "SECRET" not in result.output
    assert not (inside.parent / "y").exists()
    assert (place.drafted / "made").exists()


def test_the_environment_holds_a_few_names_and_no_key(place: Place) -> None:
    given = {"MOONSHOT_API_KEY": "sk-secret", "KCODE_API_KEY": "sk-secret", "AWS_SECRET": "sk-secret", "LC_TIME": "C"}
    given |= {"MY_FLAG": "yes", "PYTHONDONTWRITEBYTECODE": "1", "GIT_DIR": "/evil"}
    result = place.with_environment(**given).sh("env", passed_names=("MY_FLAG", "MOONSHOT_API_KEY"))
    names = {line.partition("=")[0] for line in result.output.splitlines()} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert "sk-secret" not in result.output
    assert names == {
        "CI", "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT", "HOME", "LANG", "LC_TIME", "MY_FLAG", "NO_COLOR", "PAGER",
        "PATH", "TERM", "TMPDIR", "XDG_CACHE_HOME",
    }  # fmt: skip
    assert "sk-secret" not in place.sh("cat /proc/*/environ | tr '\\0' '\\n'").output


def test_a_virtual_environment_in_a_hidden_folder_works_whole(place: Place) -> None:
    made = place.home.parent / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    library = next(made.glob("lib/python*/site-packages"))
    (library / "only_here.py").write_text("print('found')")
    path = f"{made}/bin:{place.environment['PATH']}"
    result = place.with_environment(VIRTUAL_ENV=str(made), PATH=path).sh("python -c 'import only_here'")
    assert (result.exit_code, result.output) == (0, "found\n")
    assert place.with_environment(PATH=path).sh("python -c 'import only_here'").output == "found\n"


def test_any_path_works(sandboxes: dict[Rung, Sandbox], tmp_path: Path) -> None:
    for sandbox in sandboxes.values():
        place = make_place(sandbox, tmp_path / sandbox.name / AWKWARD)
        result = place.sh(f"cat kept.txt; echo x > made; touch '{os.fsdecode(bytes([0xFE]))}'")
        assert (result.exit_code, result.output) == (0, "kept\n"), sandbox.name
        assert (place.drafted / "made").exists(), sandbox.name
        assert (place.drafted / os.fsdecode(b"\xfe")).exists(), sandbox.name


def test_a_command_has_no_privileges_and_cannot_get_any(place: Place) -> None:
    status = place.sh("cat /proc/self/status; id -u; id -g").output
    assert status.endswith(f"{os.geteuid()}\n{os.getegid()}\n")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert f"{name}:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status
    assert "Seccomp:\t2\n" in status


def test_a_nested_namespace_cannot_undo_what_is_read_only(place: Place) -> None:
    for line in (
        "unshare -Urm true",
        "unshare -Urm sh -c 'mount -o remount,rw / && touch $HOME/.kcode-canary'",
        "unshare -Urm sh -c 'umount -l /tmp && ls /tmp'",
        "mount -o remount,rw,bind .git",
        "mount -t tmpfs none /tmp",
        "nsenter -t 1 -m true",
    ):
        assert place.sh(line).exit_code != 0, line
    assert not (place.home / ".kcode-canary").exists()


def test_the_machines_settings_cannot_be_opened_for_writing(place: Place) -> None:
    # Only opened, never written: where this fails, the test must do no harm.
    script = """
import os
for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
        except OSError:
            continue
        print(folder, name)
for path in ("/proc/sysrq-trigger", "/sys/power/state", "/sys/kernel/uevent_helper", "/proc/irq/0/smp_affinity"):
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        continue
    print(path)
"""
    assert place.python(script).output == ""


def test_the_devices_are_those_that_every_program_needs(place: Place) -> None:
    names = set(place.sh("ls /dev").output.split()) - {"core", "console"}
    assert names == {
        "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero",
    }  # fmt: skip
    script = "echo x > /dev/null; head -c 3 /dev/zero | wc -c; echo s > /dev/shm/s; cat /dev/shm/s; : < /dev/tty"
    result = place.sh(script)
    assert result.output.startswith("3\ns\n")
    assert result.exit_code != 0


def test_a_command_sees_only_its_own_processes(place: Place) -> None:
    result = place.sh("ls /proc | grep -c '^[0-9]'")
    assert int(result.output) < 10
    assert place.sh(f"kill -0 {os.getpid()}").exit_code != 0


def test_work_that_needs_more_than_files_is_possible(place: Place) -> None:
    script = """
import asyncio, multiprocessing, pty, socket, threading

def double(n):
    return 2 * n

async def serve():
    server = await asyncio.start_server(lambda r, w: (w.write(b"hello"), w.close()), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    return (await reader.read()).decode()

if __name__ == "__main__":
    print(asyncio.run(serve()))
    with multiprocessing.Pool(2) as pool:
        print(pool.map(double, [1, 2, 3]))
    with multiprocessing.Manager() as manager:
        print(manager.list([1]))
    a, b = socket.socketpair()
    threading.Thread(target=a.send, args=(b"x",)).start()
    print(b.recv(1))
    print(len(pty.openpty()))
"""
    (place.drafted / "work.py").write_text(script)
    result = place.run(sys.executable, "work.py")
    assert (result.exit_code, result.output) == (0, "hello\n[2, 4, 6]\n[1]\nb'x'\n2\n"), result.output


def test_a_full_disk_is_the_commands_own_trouble(place: Place) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = place.drafted.parent / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        mount: OverlayMount | FolderMount
        if isinstance(place.mount, OverlayMount):
            mount = OverlayMount(place.root, folder / "upper", folder / "work")
            mount.work.mkdir()
            mount.upper.mkdir()
        else:
            mount = FolderMount(folder, place.root)
        place = Place(place.sandbox, mount, place.root, place.home, place.environment)
        result = place.sh("head -c 1000000 /dev/zero > big")
        assert result.exit_code != 0
        assert "No space left" in result.output
    finally:
        subprocess.run(["umount", str(folder)], check=True)
