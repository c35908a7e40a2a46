"""Git, run so that nothing in a repository can make it execute a program, and the few questions that kcode asks of it.

What a repository can make git run was measured key by key: file system monitors, hooks, filters, text conversion,
pagers, signing, credential and transport programs. Each is pinned in the environment, which wins over every file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import TYPE_CHECKING

from kcode.errors import GitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.workspace import Workspace

SECONDS = 30.0
_PINS = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.pager": "cat",
    "core.editor": "false",
    "core.askPass": "",
    "core.sshCommand": "false",
    "core.gitProxy": "",
    "core.alternateRefsCommand": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "log.showSignature": "false",
    "gpg.program": "false",
    "gpg.ssh.program": "false",
    "gpg.ssh.defaultKeyCommand": "false",
    "gpg.x509.program": "false",
    "credential.helper": "",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    "maintenance.auto": "false",
    "gc.auto": "0",
}
_EXTENSIONS = {
    "noop", "noop-v1", "objectformat", "compatobjectformat", "partialclone", "preciousobjects", "refstorage",
    "relativeworktrees", "submodulepathconfig", "worktreeconfig",
}  # fmt: skip
# In a plain folder nobody says what is not source; these are never anyone's.
_PLAIN_EXCLUDES = """\
__pycache__/
*.py[co]
.venv/
venv/
node_modules/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.cache/
*.egg-info/
.coverage
.gradle/
.next/
.DS_Store
target/debug/
target/release/
"""


class RunningGit:
    """A git process that has been started; its output is drained meanwhile, so that it never waits for the reader."""

    def __init__(self, process: subprocess.Popen[bytes], command: str, data: bytes, seconds: float) -> None:
        self._process, self._command, self._data, self._seconds = process, command, data, seconds
        self._out = self._err = b""
        self._late = False
        self._reader = Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        try:
            self._out, self._err = self._process.communicate(self._data or None, self._seconds)
        except subprocess.TimeoutExpired:
            self._late = True
            self._process.kill()
            self._out, self._err = self._process.communicate()
            if self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()

    def finish(self, codes: Iterable[int] = (0,)) -> bytes:
        """What git wrote to stdout. GitError with git's own words when its exit code is none of `codes`."""
        self._reader.join()
        if self._late:
            raise GitError(f"git {self._command} took longer than {self._seconds:g} seconds and was stopped.")
        if self._process.returncode not in codes:
            words = self._err.decode("utf-8", "replace").strip() or f"it ended with {self._process.returncode}"
            raise GitError(f"git {self._command} failed: {words}")
        return self._out


LIST_FILES = ("ls-files", "-z", "-t", "-s", "-c", "-d", "-o", "--exclude-standard")


class SafeGit:
    """Git on one repository and one work tree, each named outright, so that nothing is looked for or redirected."""

    def __init__(self, git_dir: Path, work_tree: Path, *, plain: bool = False, program: str = "") -> None:
        self.git_dir, self.work_tree, self.plain = git_dir, work_tree, plain
        self._program = program or _find_git(work_tree)
        self._environment: dict[str, str] | None = None

    def run(self, *args: str, input: bytes = b"", timeout: float = SECONDS, codes: Iterable[int] = (0,)) -> bytes:  # noqa: A002
        """Git's stdout. Raises GitError with git's own words when its exit code is none of `codes`."""
        return self.start(*args, input=input, timeout=timeout).finish(codes)

    def start(self, *args: str, input: bytes = b"", timeout: float = SECONDS) -> RunningGit:  # noqa: A002
        if self._environment is None:
            self._environment = self._harden()
        return self._start(args, self._environment, input, timeout)

    def _start(self, args: tuple[str, ...], environment: dict[str, str], data: bytes, seconds: float) -> RunningGit:
        argv = [self._program, f"--git-dir={self.git_dir}", f"--work-tree={self.work_tree}", *args]
        try:
            process = subprocess.Popen(
                argv,
                cwd=self.work_tree,
                env=environment,
                stdin=subprocess.PIPE if data else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise GitError(f"git cannot be run in {self.work_tree}: {error.strerror}.") from error
        return RunningGit(process, args[0], data, seconds)

    def _harden(self) -> dict[str, str]:
        """Read the configuration once, refuse what redirects git, and pin what could run a program."""
        args = ("config", "--list", "-z", "--show-scope")
        fields = self._start(args, _environment(_PINS), b"", SECONDS).finish().decode("utf-8", "surrogateescape")
        scopes, settings = fields.split("\0")[0::2], fields.split("\0")[1::2]
        pins = dict(_PINS)
        for scope, setting in zip(scopes, settings, strict=False):
            key, _, value = setting.partition("\n")
            section, _, name = key.rpartition(".")
            if section.startswith("filter."):
                # The name of a driver may hold anything, so it is pinned as it was read.
                pins |= {f"{section}.{part}": "" for part in ("clean", "smudge", "process")}
                pins[f"{section}.required"] = "false"
            elif scope in {"local", "worktree"}:
                self._check(key, section, name, value)
        return _environment(pins)

    def _check(self, key: str, section: str, name: str, value: str) -> None:
        config = self.git_dir / "config"
        if section == "extensions" and name not in _EXTENSIONS:
            raise GitError(f"{config} asks for the extension {name!r}, which kcode does not know, so git is not run.")
        if (
            key == "core.worktree"
            and os.path.realpath(self.git_dir / value) != os.path.realpath(self.work_tree)
            and not self.plain
        ):
            raise GitError(
                f"{config} sends git to other files: core.worktree is {value}. Remove that setting, or work there."
            )

    def nested(self, path: str) -> SafeGit | None:
        """The git of the repository that stands at `path` in the work tree, if one does."""
        folder = self.work_tree / path
        mark = folder / ".git"
        try:
            if folder.is_symlink() or mark.is_symlink():
                return None
            git_dir = mark
            if mark.is_file():
                git_dir = Path(
                    os.path.realpath(folder / mark.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
                )
            return SafeGit(git_dir, folder, program=self._program) if (git_dir / "HEAD").exists() else None
        except (OSError, ValueError):
            return None

    def list_files(self) -> tuple[str, ...]:
        """Tracked files that are there and untracked ones that are not ignored, sorted; those of submodules too."""
        return listed_files(self, self.run(*LIST_FILES))

    def list_ignored(self) -> tuple[str, ...]:
        """What git ignores in this repository, sorted; a folder that is ignored with all in it ends in `/`."""
        return tuple(sorted(output_names(self.run("ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory"))))

    def ignored(self, paths: Iterable[str], work_tree: Path | None = None) -> set[str]:
        """Of these paths, those that git ignores; a tracked file never is.

        With `work_tree`, the `.gitignore` files of that folder count instead, and what stands there says what is a
        folder. A path need not exist.
        """
        at = self if work_tree is None else self.over(work_tree)
        left = {path for path in paths if path and not _beyond_link(at.work_tree, path)}
        try:
            return at.check_ignore(left)
        except GitError as error:
            if "in submodule" not in str(error):
                raise
        found: set[str] = set()
        for link in self._gitlinks():
            inside = {path.removeprefix(f"{link}/") for path in left if path.startswith(f"{link}/")}
            left -= {f"{link}/{path}" for path in inside}
            # Of a submodule that is not checked out nothing is known.
            if inside and (git := self.nested(link)):
                inner = git.ignored(inside, work_tree / link if work_tree else None)
                found |= {f"{link}/{path}" for path in inner}
        return found | at.check_ignore(left)

    def check_ignore(self, paths: set[str]) -> set[str]:
        """What `git check-ignore` says of paths that lie in no submodule and beyond no link."""
        if not paths:
            return set()
        # Check-ignore refuses literal pathspecs, so a name is kept from meaning more by the folder it starts with.
        data = b"".join(b"./" + os.fsencode(path) + b"\0" for path in sorted(paths))
        # 1 says that none is ignored.
        answer = self.run("check-ignore", "-z", "--stdin", input=data, codes=(0, 1))
        return {path.removeprefix("./") for path in output_names(answer)}

    def _gitlinks(self) -> list[str]:
        entries = (entry.partition("\t") for entry in output_names(self.run("ls-files", "-z", "-s")))
        return sorted({path for info, _, path in entries if info.startswith("160000")})

    def over(self, work_tree: Path) -> SafeGit:
        """The same repository with another folder as its work tree."""
        git = SafeGit(self.git_dir, work_tree, plain=self.plain, program=self._program)
        if self._environment is None:
            self._environment = self._harden()
        git._environment = self._environment
        return git


def open_git(workspace: Workspace, private_folder: Path) -> SafeGit:
    """Git for the workspace; a plain folder gets an empty repository in `private_folder`, for its ignore rules.

    Raises GitError when git is missing, or the repository belongs to another user whom git was not told to trust.
    """
    program = _find_git(workspace.root)
    if workspace.git_dir is None:
        return SafeGit(
            _make_plain_repository(private_folder / "plain.git"), workspace.root, plain=True, program=program
        )
    # Git itself checks this only where it looks for the repository, which it does not here.
    _check_owner(workspace.root, workspace.git_dir)
    return SafeGit(workspace.git_dir, workspace.root, program=program)


def _find_git(root: Path) -> str:
    """The machine's git: a workspace whose folder is on the PATH, as `.` or as it is, must not bring its own."""
    top = os.path.realpath(root)
    folders = [
        folder
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if folder.startswith("/") and not Path(os.path.realpath(folder)).is_relative_to(top)
    ]
    found = shutil.which("git", path=os.pathsep.join(folders)) if folders else None
    if found is None:
        raise GitError("git is not installed, or not on the PATH. Install it; kcode needs git 2.30 or newer.")
    return found


def _environment(pins: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    fixed = {
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_COUNT": str(len(pins)),
    }
    for number, (key, value) in enumerate(pins.items()):
        fixed |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return kept | fixed


def _make_plain_repository(folder: Path) -> Path:
    if not (folder / "HEAD").exists():
        for part in ("objects", "refs", "info"):
            (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n", encoding="utf-8")
        (folder / "info/exclude").write_text(_PLAIN_EXCLUDES, encoding="utf-8")
        # Last, since it is what makes the folder count.
        (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    return folder


def _check_owner(root: Path, git_dir: Path) -> None:
    mine = {os.geteuid()}
    sudo = os.environ.get("SUDO_UID", "")
    if mine == {0} and sudo.isdecimal():
        mine.add(int(sudo))
    places = [place for place in (root, root / ".git", git_dir) if place.exists()]
    foreign = [place for place in places if place.lstat().st_uid not in mine]
    if foreign and not _is_trusted(root):
        raise GitError(
            f"{foreign[0]} belongs to another user (git: dubious ownership), and git can run programs that a "
            f"repository names. If you trust it: git config --global --add safe.directory {root}"
        )


def _is_trusted(root: Path) -> bool:
    """Ask the user's and the system's configuration, never the repository's."""
    for scope in ("--global", "--system"):
        argv = [_find_git(root), "config", scope, "-z", "--type=path", "--get-all", "safe.directory"]
        answer = subprocess.run(
            argv,
            env=_environment(_PINS),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        for value in output_names(answer.stdout):
            if value == "*" or root == Path(value) or (value.endswith("/*") and root.is_relative_to(value[:-2])):
                return True
    return False


def output_names(data: bytes) -> list[str]:
    """The fields of output that `-z` made; bytes that are no UTF-8 become surrogates."""
    return [name for name in os.fsdecode(data).split("\0") if name]


def _beyond_link(root: Path, path: str) -> bool:
    """Git knows nothing beyond a link and fails when asked."""
    return any((root / str(parent)).is_symlink() for parent in PurePosixPath(path).parents)


def listed_files(git: SafeGit, listed: bytes) -> tuple[str, ...]:
    """The files that the output of `git LIST_FILES` names, and those of the repositories inside this one.

    What lies in a Python virtual environment is left out also where git does not ignore it, unless it is tracked.
    """
    files: set[str] = set()
    untracked: set[str] = set()
    missing: set[str] = set()
    for entry in output_names(listed):
        tag, rest = entry[0], entry[2:]
        info, _, path = rest.partition("\t") if tag != "?" else ("", "", rest)
        if info.startswith("160000") or path.endswith("/"):
            path = path.rstrip("/")
            files.update(f"{path}/{inner}" for inner in _nested_files(git, path))
        elif tag == "R" or (tag == "S" and not os.path.lexists(git.work_tree / path)):
            missing.add(path)
        elif tag == "?":
            untracked.add(path)
        else:
            files.add(path)
    return tuple(sorted((files | outside_environments(untracked)) - missing))


def outside_environments(paths: set[str]) -> set[str]:
    folders = tuple(path.removesuffix("pyvenv.cfg") for path in paths if path.endswith("/pyvenv.cfg"))
    return {path for path in paths if not path.startswith(folders)} if folders else paths


def _nested_files(git: SafeGit, path: str) -> tuple[str, ...]:
    try:
        inner = git.nested(path)
        return inner.list_files() if inner else ()
    except GitError:
        return ()


def head_summary(workspace: Workspace) -> str:
    """The branch and the last commit in one line, read through GitPython; "" without git."""
    if workspace.git_dir is None:
        return ""
    # Imported without that, GitPython runs whatever the PATH gives it.
    os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = _find_git(workspace.root)
    import git  # noqa: PLC0415 - a fifth of a second, for `kcode doctor` alone

    try:
        with git.Repo(workspace.root) as repository:
            # GitPython lets git read the objects; in a partial clone that could fetch, and so run what is configured.
            repository.git.update_environment(**_environment(_PINS), GIT_DIR=str(workspace.git_dir))
            head = repository.head
            branch = "detached" if head.is_detached else head.reference.name
            if not head.is_detached and head.reference not in repository.heads:
                return f"{branch}, no commits yet"
            commit = head.commit
            return f"{branch} at {commit.hexsha[:10]} {commit.summary!s}"
    except (git.exc.GitError, git.exc.ODBError, ValueError, OSError) as error:
        raise GitError(f"The repository at {workspace.root} cannot be read: {error}") from error
