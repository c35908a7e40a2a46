"""Git answers, and nothing that a repository names is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kcode.errors import GitError
from kcode.safegit import SafeGit, head_summary, open_git
from kcode.snapshot import Snapshot, start_snapshot
from kcode.workspace import Workspace, open_workspace
from tests.repositories import git, new_repository, picture, write_tree

HOOKS = (
    "pre-commit",
    "post-checkout",
    "post-index-change",
    "reference-transaction",
    "fsmonitor-watchman",
    "pre-auto-gc",
)


def opened(folder: Path, private: Path | None = None) -> SafeGit:
    workspace = open_workspace(folder, {"HOME": "/nonexistent"})
    return open_git(workspace, private or folder.parent / "private")


def set_traps(root: Path, folder: Path) -> Path:
    """Have every key that names a program name one that leaves its mark; the folder of marks."""
    marks = folder / "marks"
    marks.mkdir(exist_ok=True)

    def trap(name: str) -> str:
        path = folder / f"trap-{name}"
        path.write_text(f"#!/bin/sh\necho {name} > {marks}/{name}\nexec cat\n")
        path.chmod(0o755)
        return str(path)

    for hook in HOOKS:
        (folder / "hooks").mkdir(exist_ok=True)
        Path(trap(f"hook-{hook}")).rename(folder / "hooks" / hook)
    lines = {
        "core": {"fsmonitor": trap("fsmonitor"), "pager": trap("pager"), "editor": trap("editor"),
                 "sshCommand": trap("ssh"), "hooksPath": str(folder / "hooks"), "askPass": trap("askpass"),
                 "alternateRefsCommand": trap("alternates"), "gitProxy": trap("proxy"), "untrackedCache": "true"},
        "diff": {"external": trap("external")},
        'diff "x"': {"textconv": trap("textconv"), "command": trap("command")},
        'filter "y"': {"clean": trap("clean"), "smudge": trap("smudge"), "required": "true"},
        'filter "w.v"': {"process": trap("process"), "required": "true"},
        "gpg": {"program": trap("gpg")}, 'gpg "ssh"': {"program": trap("gpgssh")},
        "log": {"showSignature": "true"}, "status": {"submoduleSummary": "true"},
        "credential": {"helper": trap("helper")}, "interactive": {"diffFilter": trap("difffilter")},
        "alias": {name: f"!{trap('alias')}" for name in ("status", "log", "ls-files", "check-ignore")},
        "pager": {"log": trap("pagerlog"), "status": trap("pagerstatus")},
        'remote "origin"': {"url": f"ext::{trap('remote')}", "uploadpack": trap("uploadpack")},
        "submodule": {"recurse": "true"}, "gc": {"auto": "1"},
    }  # fmt: skip
    config = Path(git(root, "rev-parse", "--absolute-git-dir").strip()) / "config"
    with config.open("a") as file:
        for section, keys in lines.items():
            file.write(f"[{section}]\n" + "".join(f"\t{key} = {value}\n" for key, value in keys.items()))
    return marks


def trapped_repository(folder: Path) -> tuple[Path, Path]:
    root = new_repository(folder / "r", {"f.txt": "one\n", "h.txt": "abc\n", "p.txt": "abc\n", "m/n.txt": "n\n"})
    inner = new_repository(folder / "inner", {"in.txt": "abc\n"})
    git(root, "submodule", "add", "-q", str(inner), "sub")
    write_tree(root, {".gitattributes": "f.txt diff=x\nh.txt filter=y\np.txt filter=w.v\n", ".gitignore": "*.o\n"})
    git(root, "add", "-A")
    git(root, "commit", "-qm", "second")
    marks = set_traps(root, folder)
    set_traps(root / "sub", folder)
    # Of the same size and another time: only their content tells whether they changed, and a filter would be asked.
    for name in ("h.txt", "p.txt", "sub/in.txt"):
        (root / name).write_text("cba\n")
        os.utime(root / name, (1, 1))
    write_tree(root, {"sub/.gitattributes": "* filter=y\n", "new.txt": "new\n", "x.o": "o\n", "sub/x.o": "o\n"})
    return root, marks


def test_a_partial_clone_is_not_completed_by_asking(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    marks = set_traps(root, tmp_path)
    for key, value in {
        "core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "protocol.allow": "always", "remote.origin.url": f"ext::{tmp_path}/trap-remote %S",
    }.items():  # fmt: skip
        git(root, "config", "-f", ".git/config", key, value)
    commit = git(root, "-c", "core.fsmonitor=false", "rev-parse", "HEAD").strip()
    (root / ".git/objects" / commit[:2] / commit[2:]).unlink()
    safegit = opened(root)
    with pytest.raises(GitError):
        safegit.run("log", "-1")
    with pytest.raises(GitError):
        head_summary(Workspace(root, root / ".git"))
    assert not list(marks.iterdir())


def ask_everything(safegit: SafeGit) -> Snapshot:
    snapshot = start_snapshot(safegit).finish()
    safegit.list_files()
    safegit.list_ignored()
    safegit.ignored(["x.o", "sub/x.o", "h.txt", "m", "new/y.o"])
    head_summary(Workspace(safegit.work_tree, safegit.git_dir))
    return snapshot


def test_no_program_that_a_repository_names_is_run(tmp_path: Path) -> None:
    root, marks = trapped_repository(tmp_path)
    subprocess.run(["git", "status"], cwd=root, capture_output=True, check=False)
    assert (marks / "fsmonitor").exists(), "the traps do not work"
    for mark in marks.iterdir():
        mark.unlink()
    before = picture(root)
    snapshot = ask_everything(opened(root))
    assert not list(marks.iterdir())
    assert picture(root) == before
    assert " M h.txt" in snapshot.status
    assert "sub/in.txt" in snapshot.files


def test_the_callers_git_environment_does_not_count(tmp_path: Path) -> None:
    root, marks = trapped_repository(tmp_path)
    for mark in marks.iterdir():
        mark.unlink()
    other = new_repository(tmp_path / "other", {"other.txt": "other\n"})
    trap = str(tmp_path / "trap-external")
    hostile = {
        "GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": str(other / ".git/index"),
        "GIT_EXTERNAL_DIFF": trap, "GIT_PAGER": trap, "GIT_ASKPASS": trap, "GIT_SSH_COMMAND": trap,
        "GIT_EXEC_PATH": str(tmp_path), "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor'='{trap}'",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": trap,
        "GIT_GLOB_PATHSPECS": "1", "GIT_TRACE": str(tmp_path / "trace"), "GIT_NAMESPACE": "x",
    }  # fmt: skip
    code = (
        "import sys; from pathlib import Path; from kcode.safegit import SafeGit; root = Path(sys.argv[1])\n"
        "print('\\n'.join(SafeGit(root / '.git', root).list_files()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], env=os.environ | hostile, capture_output=True, text=True, check=False
    )
    assert "h.txt" in done.stdout.split(), done.stderr
    assert "other.txt" not in done.stdout.split()
    assert not list(marks.iterdir())
    assert not (tmp_path / "trace").exists()


def test_a_git_program_in_the_workspace_is_not_the_one_that_runs(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"git": f"#!/bin/sh\ntouch {tmp_path}/mark\n"})
    (root / "git").chmod(0o755)
    code = (
        "import sys; from pathlib import Path; from kcode.safegit import SafeGit; root = Path(sys.argv[1])\n"
        "print(SafeGit(root / '.git', root).list_files())"
    )
    environment = os.environ | {"PATH": f".:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code, str(root)], env=environment, cwd=root, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout == "('git',)\n", done.stderr
    assert not (tmp_path / "mark").exists()


def test_a_bare_repository_inside_is_only_files(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    git(root, "init", "-q", "--bare", "bare")
    marks = set_traps(root / "bare", tmp_path)
    listed = opened(root).list_files()
    assert "bare/HEAD" in listed
    assert not list(marks.iterdir())


def test_a_repository_inside_is_asked_for_its_own_files_and_rules(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    inner = new_repository(root / "inner", {"in.txt": "in\n", ".gitignore": "*.o\n"})
    write_tree(inner, {"x.o": "o", "new.c": "c"})
    marks = set_traps(inner, tmp_path)
    assert opened(root).list_files() == ("a.txt", "inner/.gitignore", "inner/in.txt", "inner/new.c")
    assert not list(marks.iterdir())


def test_a_work_tree_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    write_tree(victim, {"precious.txt": "p"})
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    git(root, "config", "core.worktree", str(victim))
    with pytest.raises(GitError, match=r"core\.worktree is"):
        opened(root).list_files()
    git(root, "config", "core.worktree", str(root))
    assert opened(root).list_files() == ("a.txt",)


def test_an_extension_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    git(root, "config", "extensions.surprise", "true")
    with pytest.raises(GitError, match="surprise"):
        opened(root).list_files()
    git(root, "config", "--unset", "extensions.surprise")
    git(root, "config", "extensions.worktreeConfig", "true")
    git(root, "config", "--worktree", "filter.z.clean", "touch /nonexistent")
    assert opened(root).list_files() == ("a.txt",)


def test_a_repository_of_another_user_is_refused_until_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    os.chown(root, 65534, 65534)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(GitError, match="dubious ownership"):
        opened(root)
    git(root, "config", "--file", ".git/config", "safe.directory", str(root))
    with pytest.raises(GitError, match="dubious ownership"):
        opened(root)
    (tmp_path / ".gitconfig").write_text(f"[safe]\n\tdirectory = {root}\n")
    assert opened(root).list_files() == ("a.txt",)


def test_a_snapshot_tells_branch_state_commits_and_files(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.txt": "a\n" * 9, "b c.txt": "b\n", "gone.txt": "g\n", "q.o": "o\n"})
    write_tree(root, {".gitignore": "*.o\nout/\n", "new ü.txt": "n\n", "x.o": "o\n", "out/y": "y\n"})
    git(root, "mv", "a.txt", "renamed.txt")
    (root / "gone.txt").unlink()
    write_tree(root, {"b c.txt": "changed\n"})
    for number in range(6):
        git(root, "commit", "-q", "--allow-empty", "-m", f"subject {number}")
    git(root, "mv", "renamed.txt", "again.txt")
    snapshot = start_snapshot(opened(root)).finish()
    assert snapshot.branch == "main"
    assert snapshot.status == (
        "R  renamed.txt -> again.txt",
        " M b c.txt",
        " D gone.txt",
        "?? .gitignore",
        "?? new ü.txt",
    )
    assert [line.partition(" ")[2] for line in snapshot.commits] == [f"subject {n}" for n in (5, 4, 3, 2, 1)]
    assert snapshot.files == (".gitignore", "again.txt", "b c.txt", "new ü.txt", "q.o")


@pytest.mark.parametrize("branch", ["main", "feature/a...b c", "No-commits yet"])
def test_a_branch_is_named_with_or_without_an_upstream(tmp_path: Path, branch: str) -> None:
    name = branch.replace("...", ".").replace(" ", "-")
    source = new_repository(tmp_path / "source", {"a.txt": "a\n"})
    git(source, "checkout", "-qB", name)
    git(tmp_path, "clone", "-q", str(source), "clone")
    git(tmp_path / "clone", "commit", "-q", "--allow-empty", "-m", "ahead")
    assert start_snapshot(opened(source)).finish().branch == name
    assert start_snapshot(opened(tmp_path / "clone")).finish().branch == name
    assert head_summary(open_workspace(source, {})).startswith(f"{name} at ")
    assert head_summary(open_workspace(source, {})).endswith(" first")


def test_unborn_and_detached_say_so(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    git(root, "init", "-q", "-b", "trunk")
    assert start_snapshot(opened(root)).finish() == Snapshot("trunk (no commits yet)", (), (), ())
    assert head_summary(open_workspace(root, {})) == "trunk, no commits yet"
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    git(root, "checkout", "-q", "--detach")
    assert re.fullmatch(r"detached at [0-9a-f]{7,}", start_snapshot(opened(root)).finish().branch)
    assert head_summary(open_workspace(root, {})).startswith("detached at ")


def test_a_plain_folder_has_files_and_sensible_ignore_rules(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_tree(root, {"a.py": "a", "b/c.txt": "c", ".gitignore": "*.secret\n", "x.secret": "s"})
    write_tree(root, {"__pycache__/a.pyc": "x", ".venv/lib/x.py": "x", "node_modules/x/index.js": "x"})
    before = picture(root)
    safegit = opened(root)
    assert start_snapshot(safegit).finish() == Snapshot("", (), (), (".gitignore", "a.py", "b/c.txt"))
    assert safegit.ignored(["x.secret", "a.py", "b/__pycache__/c.pyc"]) == {"x.secret", "b/__pycache__/c.pyc"}
    assert opened(root).list_files() == (".gitignore", "a.py", "b/c.txt")
    assert head_summary(open_workspace(root, {})) == ""
    assert picture(root) == before


def test_ignore_questions_of_every_kind_are_answered(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "*.o\nbuild/\n!keep.o\n", "kept.o": "o\n", "dir/f": "f"})
    inner = new_repository(tmp_path / "inner", {"in.txt": "in\n", ".gitignore": "*.tmp\n", "t.tmp": "t"})
    git(root, "add", "-f", "kept.o")
    git(root, "submodule", "add", "-q", str(inner), "su b")
    write_tree(root, {"su b/t.tmp": "t\n"})
    git(root / "su b", "add", "-f", "t.tmp")
    (root / "link").symlink_to("dir")
    safegit = opened(root)
    asked = [
        "a.o", "keep.o", "kept.o", "new/b.o", "build/x", "build", ":(top)x.o", "we\nird.o", "[ab].o", "\udcff.o",
        "su b/x.tmp", "su b/t.tmp", "su b/x.o", "su b", "link/x.o", "dir/f/x.o", "", "-x.o",
    ]  # fmt: skip
    assert safegit.ignored(asked) == {
        "a.o", "new/b.o", "build/x", ":(top)x.o", "we\nird.o", "[ab].o", "\udcff.o", "su b/x.tmp", "dir/f/x.o", "-x.o",
    }  # fmt: skip
    (root / "build").mkdir()
    assert safegit.ignored(["build"]) == {"build"}
    git(root, "submodule", "deinit", "-f", "su b")
    assert opened(root).ignored(["su b/x.tmp", "a.o"]) == {"a.o"}
    assert opened(root).ignored([]) == set()


def test_a_failure_is_told_in_gits_own_words(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.txt": "a\n"})
    safegit = opened(root)
    with pytest.raises(GitError, match=r"git rev-parse failed: fatal: .*nonsense"):
        safegit.run("rev-parse", "nonsense")
    with pytest.raises(GitError, match="git cat-file took longer than"):
        safegit.run("cat-file", "--batch", "--buffer", input=b"HEAD\n" * 3_000_000, timeout=0.05)
    (root / ".git/index").write_bytes(b"DIRC broken")
    with pytest.raises(GitError, match="index"):
        safegit.list_files()
    (root / ".git/config").write_text("[broken\n")
    with pytest.raises(GitError, match="config"):
        opened(root).list_files()


def test_output_of_any_size_does_not_block_the_others(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {f"{'x' * 200}{n}.txt": "" for n in range(1500)})
    safegit = opened(root)
    running = [safegit.start("ls-files", "-z") for _ in range(4)]
    assert len({process.finish() for process in running}) == 1
    assert len(safegit.list_files()) == 1500


def test_sparse_and_conflicted_repositories_are_listed_as_they_stand(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"in/a.txt": "a\n", "out/b.txt": "b\n"})
    git(root, "checkout", "-qb", "other")
    write_tree(root, {"in/a.txt": "other\n"})
    git(root, "commit", "-qam", "other")
    git(root, "checkout", "-q", "main")
    write_tree(root, {"in/a.txt": "main\n"})
    git(root, "commit", "-qam", "main")
    with pytest.raises(AssertionError):
        git(root, "merge", "other")
    assert opened(root).list_files() == ("in/a.txt", "out/b.txt")
    assert start_snapshot(opened(root)).finish().status == ("UU in/a.txt",)
    git(root, "merge", "--abort")
    git(root, "sparse-checkout", "set", "in")
    assert opened(root).list_files() == ("in/a.txt",)


def test_a_virtual_environment_is_not_listed_though_git_does_not_ignore_it(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "work", {"a.py": "1\n", "env/kept.txt": "tracked\n"})
    for path in ("env/pyvenv.cfg", "env/lib/x.py", "environment.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    assert opened(root).list_files() == ("a.py", "env/kept.txt", "environment.py")
