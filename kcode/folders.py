"""The folders that kcode keeps outside every repository, and the one function that deletes one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.errors import SessionError, WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARK = ".made-by-kcode"


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where the user's settings, prompts and tools are: `$XDG_CONFIG_HOME/kcode`."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config")


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where sessions, drafts and journals are: `$XDG_STATE_HOME/kcode`."""
    return _xdg(environment, "XDG_STATE_HOME", ".local/state")


def cache_folder_for(environment: Mapping[str, str], workspace_root: Path) -> Path:
    """Where what can be made again is kept: `$XDG_CACHE_HOME/kcode`, or beside the state where the workspace holds that.

    Raises SessionError or WorkspaceError as `state_folder_for` does.
    """
    usual = Path(os.path.realpath(_xdg(environment, "XDG_CACHE_HOME", ".cache")))
    if not usual.is_relative_to(workspace_root.resolve()):
        return usual
    return state_folder_for(environment, workspace_root) / "cache"


def state_folder_for(environment: Mapping[str, str], workspace_root: Path, spare: Path | None = None) -> Path:
    """The state folder with links resolved, or `/var/tmp/kcode-UID` where that one lies inside the workspace.

    A draft inside the workspace would be a change of the workspace, and no overlay can be mounted over itself.
    Raises SessionError when the spare folder is not the user's own, WorkspaceError when it too lies inside.
    """
    root = workspace_root.resolve()
    # Path.resolve raises for a loop of links; here making the folder says what is wrong with it.
    usual = Path(os.path.realpath(state_folder(environment)))
    if not usual.is_relative_to(root):
        return usual
    spare = (spare or Path(f"/var/tmp/kcode-{os.geteuid()}")).absolute()  # noqa: S108
    if spare.resolve().is_relative_to(root):
        raise WorkspaceError(
            f"kcode's own files cannot lie outside {root}. Work in a folder below it"
            + ("." if root == Path("/") else ", or set XDG_STATE_HOME.")
        )
    return _own_folder(spare)


def _own_folder(path: Path) -> Path:
    """Make a folder where everyone may make one, or accept it when it is the user's and nobody else's."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise SessionError(
            f"{path} cannot be made: {error.strerror}. Set XDG_STATE_HOME to a folder of yours."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SessionError(
            f"{path} is not a folder that you alone can use, so kcode keeps nothing there. "
            "Delete it, or set XDG_STATE_HOME to a folder outside the workspace."
        )
    return path


def _xdg(environment: Mapping[str, str], variable: str, default: str) -> Path:
    given = environment.get(variable, "")
    # The XDG specification: a relative path in such a variable is ignored.
    if given.startswith("/"):
        return Path(given) / "kcode"
    return Path(environment.get("HOME") or Path.home()) / default / "kcode"


def make_folder(path: Path, *, fresh: bool = False) -> Path:
    """Make a folder of kcode's own, readable by the user alone and marked so that kcode may delete it later.

    A folder that stands there already stays as it is: it is marked only if it is empty. With `fresh` it is a
    FileExistsError instead. Raises SessionError when the folder cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=not fresh)
        if not any(path.iterdir()):
            (path / _MARK).touch(mode=0o600)
    except FileExistsError:
        if fresh:
            raise
        raise SessionError(
            f"{path} is in the way: kcode needs a folder there. Move it, or set XDG_STATE_HOME."
        ) from None
    except OSError as error:
        raise SessionError(
            f"The folder {path} cannot be made: {error.strerror}. Set XDG_STATE_HOME to a folder that you can write."
        ) from error
    return path


@contextlib.contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """A fresh folder of kcode's own in `parent`, deleted at the end.

    Those of the same name whose process was killed are deleted too: a lock tells which are still in use.
    """
    parent = parent.resolve()
    with _locked(parent):
        for left in parent.glob(f"{name}-*"):
            with contextlib.suppress(SessionError, BlockingIOError), _locked(left, wait=False):
                remove_folder(left)
        folder = make_folder(parent / f"{name}-{os.urandom(4).hex()}", fresh=True)
        using = contextlib.ExitStack()
        using.enter_context(_locked(folder))
    with using:
        try:
            yield folder
        finally:
            remove_folder(folder)


@contextlib.contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the folder's lock; BlockingIOError when another process does and it is not waited for."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SessionError(f"The folder {folder} cannot be used: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:
            # Some network file systems have no locks: there, nothing of another process is touched.
            if not wait:
                raise BlockingIOError from None
        yield
    finally:
        os.close(descriptor)


def is_marked(path: Path) -> bool:
    """Whether `make_folder` made this folder, so that `remove_folder` may delete it."""
    try:
        mark = (path / _MARK).lstat()
    except OSError:
        return False
    return stat.S_ISREG(mark.st_mode) and mark.st_uid == os.geteuid()


def remove_folder(path: Path) -> None:
    """Delete a folder that `make_folder` made, with all in it. Follows no link and enters no mounted file system.

    Refuses, with SessionError, any other folder and one whose path has a link in it. An interrupted removal can be
    repeated: the mark goes last.
    """
    home = Path("~").expanduser().resolve()
    if not path.is_absolute() or path != path.resolve() or home.is_relative_to(path) or not is_marked(path):
        raise SessionError(f"{path} is not a folder that kcode made, so it is not deleted.")
    try:
        _empty(path)
        (path / _MARK).unlink()
        try:
            path.rmdir()
        except OSError:
            (path / _MARK).touch(mode=0o600)
            raise
    except OSError as error:
        raise SessionError(
            f"The folder {path} cannot be deleted whole: {error.filename or path}: {error.strerror}. Delete it by hand."
        ) from error


def _empty(top: Path) -> None:
    """Delete all but the mark. Each folder is moved up to `top` first, so no path is too long and no tree too deep."""
    pending = [top]
    while pending:
        folder = pending.pop()
        # An overlay's work folder has mode 000, and a test may have left a folder read-only.
        folder.chmod(0o700)
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.path != str(top / _MARK)]
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                inner = top / f"removed-{os.urandom(8).hex()}"
                _move(entry.path, inner)
                pending.append(inner)
            else:
                os.unlink(entry.path)  # noqa: PTH108
        if folder != top:
            folder.rmdir()


def _move(folder: str, target: Path) -> None:
    try:
        os.rename(folder, target)  # noqa: PTH104
    except PermissionError:
        # Moving a folder changes its "..", which needs the right to write in it.
        os.chmod(folder, 0o700)  # noqa: PTH101
        os.rename(folder, target)  # noqa: PTH104
