"""The folders that kcode keeps outside every repository, and the one function that deletes one."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.errors import KcodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK = ".made-by-kcode"


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where the user's settings, prompts and tools are: `$XDG_CONFIG_HOME/kcode`."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config")


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where sessions, drafts and journals are: `$XDG_STATE_HOME/kcode`."""
    return _xdg(environment, "XDG_STATE_HOME", ".local/state")


def _xdg(environment: Mapping[str, str], variable: str, default: str) -> Path:
    given = environment.get(variable, "")
    # The XDG specification: a relative path in such a variable is ignored.
    if given.startswith("/"):
        return Path(given) / "kcode"
    return Path(environment.get("HOME") or Path.home()) / default / "kcode"


def make_folder(path: Path) -> Path:
    """Make a folder of kcode's own, readable by the user alone and marked so that kcode may delete it later."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (path / _MARK).touch(mode=0o600)
    return path


def remove_folder(path: Path) -> None:
    """Delete a folder that `make_folder` made, with all in it; refuses any other, and one reached by a link."""
    if not path.is_absolute() or path != path.resolve() or path.is_symlink() or not (path / _MARK).is_file():
        raise KcodeError(f"{path} is not a folder that kcode made, so it is not deleted.")
    shutil.rmtree(path, onerror=_allow_and_retry)


def _allow_and_retry(function: object, name: str, _error: object) -> None:
    """An overlay's work folder has mode 000, and a test may have left a folder read-only."""
    for folder in (os.path.dirname(name), name):  # noqa: PTH120
        if not stat.S_ISLNK(os.lstat(folder).st_mode) and stat.S_ISDIR(os.lstat(folder).st_mode):
            os.chmod(folder, 0o700)  # noqa: PTH101
    if function in {os.scandir, os.open, os.lstat, os.rmdir} and Path(name).is_dir():
        shutil.rmtree(name)
    elif callable(function):
        function(name)
