"""What a command sees: its environment, and which folders are hidden, shown or writable."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kcode.draft.files import FolderMount, OverlayMount
from kcode.folders import config_folder, state_folder
from kcode.sandbox.masks import secret_paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kcode.draft.files import Mount

# Where commands find the whole output of earlier ones.
OUTPUT_FOLDER = "/tmp/kcode-output"  # noqa: S108
# Where a test runner may leave a report that is read after its end.
REPORT_FOLDER = "/tmp/kcode-report"  # noqa: S108

_HIDDEN = ("/tmp", "/var/tmp", "/run")  # noqa: S108
_PASSED = {"HOME", "LANG", "LOGNAME", "PATH", "TZ", "USER", "VIRTUAL_ENV"}
_SET = {
    "CI": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "TERM": "dumb",
    "TMPDIR": "/tmp",  # noqa: S108
    "XDG_CACHE_HOME": "/tmp/.cache",  # noqa: S108
}
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

LayerKind = Literal["private", "empty", "null", "shown", "writable", "overlay"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A place that the command sees otherwise than it stands on the machine, whose whole tree is read-only.

    private: an empty writable folder of the command's own · empty: an empty folder · null: an empty file · shown:
    `source`, read-only · writable: `source` · overlay: the mount, still to be made over `source`.
    """

    kind: LayerKind
    path: str
    source: str = ""


def command_environment(environment: Mapping[str, str], names: Collection[str] = ()) -> dict[str, str]:
    """The few variables that a command is given: never a key, also where the user's settings name it in `names`."""
    passed = {
        name: value
        for name, value in environment.items()
        if (name in _PASSED or name.startswith("LC_") or name in names) and not _is_key(name)
    }
    return {"HOME": str(home_folder(environment)), "PATH": DEFAULT_PATH} | passed | _SET


def _is_key(name: str) -> bool:
    return name.startswith("KCODE_") or name.endswith(("API_KEY", "APIKEY"))


def home_folder(environment: Mapping[str, str]) -> Path:
    given = environment.get("HOME", "")
    return Path(given) if given.startswith("/") else Path.home()


def target_of(mount: Mount) -> Path:
    """Where the command finds the workspace."""
    return mount.lower if isinstance(mount, OverlayMount) else mount.target


def layers(
    mount: Mount,
    environment: Mapping[str, str],
    outputs: Path | None = None,
    reports: Path | None = None,
    *,
    mounts_overlay: bool = False,
) -> tuple[Layer, ...]:
    """The layers for a command over the mount, outer ones first, so that the most specific path wins.

    `mounts_overlay` is for a program that makes the overlay itself; else it stands at its place already.
    """
    found = [Layer("private", path) for path in dict.fromkeys(map(os.path.realpath, _HIDDEN)) if Path(path).is_dir()]
    found += _workspace_layers(mount, mounts_overlay)
    root = str(target_of(mount))
    own = (config_folder(environment), state_folder(environment))
    kept = (root, os.path.realpath(home_folder(environment)), "/")
    found += [mask for path in (*own, *secret_paths(environment)) for mask in _mask(path, kept)]
    if outputs is not None:
        found.append(Layer("shown", OUTPUT_FOLDER, str(outputs)))
    if reports is not None:
        found.append(Layer("writable", REPORT_FOLDER, str(reports)))
    found += _shown_layers(_needed_folders(environment, root), found, environment.get("XDG_RUNTIME_DIR", ""))
    found = _pruned(found)
    found += [Layer("null", path) for path in _sockets(environment) if not _is_hidden(path, found)]
    return tuple(_pruned(found))


def _workspace_layers(mount: Mount, mounts_overlay: bool) -> list[Layer]:
    root = str(target_of(mount))
    if isinstance(mount, FolderMount):
        found = [Layer("writable", root, str(mount.source))]
        linked = [os.path.join(root, name) for name in mount.linked]  # noqa: PTH118
        found += [Layer("shown", path, path) for path in linked if Path(path).exists()]
        held = mount.source
    else:
        found = [Layer("overlay" if mounts_overlay else "writable", root, root)]
        held = mount.lower
    for path in git_folders(held):
        inside = root + str(path)[len(str(held)) :]
        if inside not in {layer.path for layer in found}:
            found.append(Layer("shown", inside, str(path)))
    return found


def git_folders(root: Path) -> list[Path]:
    """What git keeps of a work tree inside its root: `.git`, and the folders that a `.git` file points to."""
    entry = root / ".git"
    found = [entry] if entry.exists() and not entry.is_symlink() else []
    folder = Path(os.path.realpath(entry))
    if entry.is_file():
        line = entry.read_bytes()[:8192].removeprefix(b"gitdir:").strip()
        folder = Path(os.path.realpath(os.path.join(root, os.fsdecode(line))))  # noqa: PTH118
        found.append(folder)
    elif entry.is_symlink() and folder.exists():
        found.append(folder)
    common = folder / "commondir"
    if common.is_file():
        line = common.read_bytes()[:8192].strip()
        found.append(Path(os.path.realpath(os.path.join(folder, os.fsdecode(line)))))  # noqa: PTH118
    return [path for path in dict.fromkeys(found) if path != root and path.is_relative_to(root) and path.exists()]


def _mask(path: Path, kept: tuple[str, ...]) -> list[Layer]:
    """Cover a path, but not one in which the home folder or the workspace as a whole would vanish with it."""
    real = os.path.realpath(path)
    kind = _kind_of(real)
    if kind == "other" or real in kept or any(home.startswith(real + "/") for home in kept[1:]):
        return []
    return [Layer("empty" if kind == "folder" else "null", real)]


def _kind_of(path: str) -> Literal["folder", "file", "other"]:
    try:
        mode = Path(path).lstat().st_mode
    except (OSError, ValueError):
        return "other"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def _needed_folders(environment: Mapping[str, str], root: str) -> list[str]:
    """The programs and libraries that the user's environment names, whole installations rather than their `bin`."""
    home = str(home_folder(environment))
    prefixes = [home, environment.get("VIRTUAL_ENV", ""), sys.prefix, sys.base_prefix, sys.exec_prefix]
    prefixes += [os.path.join(root, name) for name in (".venv", "venv")]  # noqa: PTH118
    bases = [base for prefix in prefixes if prefix.startswith("/") for base in _base_of(Path(prefix))]
    entries = [*environment.get("PATH", DEFAULT_PATH).split(":"), *bases]
    return [path for path in (*prefixes, *map(_prefix_of, entries), *entries) if path.startswith("/")]


def _base_of(prefix: Path) -> Iterable[str]:
    """The folder of the interpreter that a virtual environment was made from."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    return [value.strip() for name, _, value in (line.partition("=") for line in lines) if name.strip() == "home"]


def _prefix_of(entry: str) -> str:
    folder = os.path.normpath(entry)
    return os.path.dirname(folder) if os.path.basename(folder) in {"bin", "sbin"} else folder  # noqa: PTH119, PTH120


def _shown_layers(paths: list[str], found: list[Layer], runtime_folder: str) -> list[Layer]:
    """Show again what lies under a hidden folder; a path through a link is shown under both its names."""
    covers = {layer.path for layer in found} | {runtime_folder}
    shown = []
    for path in paths:
        real = os.path.realpath(path)
        names = {os.path.normpath(path), real} - covers if _is_folder(real) else ()
        shown += [Layer("shown", name, real) for name in names if _is_hidden(name, found)]
    return shown


def _is_folder(path: str) -> bool:
    """True for a folder that can be looked at: PATH may name some that this user may not even reach."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _nearest(path: str, found: Iterable[Layer]) -> Layer | None:
    around = [layer for layer in found if path == layer.path or path.startswith(layer.path.rstrip("/") + "/")]
    return max(around, key=lambda layer: len(layer.path), default=None)


def _is_hidden(path: str, found: Iterable[Layer]) -> bool:
    nearest = _nearest(path, found)
    return nearest is not None and nearest.kind in {"private", "empty", "null"}


# Of two layers for one path the first kind here wins.
_PRECEDENCE: tuple[LayerKind, ...] = ("overlay", "writable", "null", "empty", "private", "shown")


def _pruned(found: list[Layer]) -> list[Layer]:
    """One layer a path, in the order of their depth, without those that change nothing."""
    one: dict[str, Layer] = {}
    for layer in sorted(found, key=lambda layer: _PRECEDENCE.index(layer.kind)):
        one.setdefault(layer.path, layer)
    kept: list[Layer] = []
    for layer in sorted(one.values(), key=lambda layer: layer.path.rstrip("/").count("/")):
        outer = _nearest(layer.path, kept)
        covers_nothing = layer.kind in {"empty", "null"} and _is_hidden(layer.path, kept)
        if covers_nothing or (outer is not None and _shows_already(outer, layer)):
            continue
        kept.append(layer)
    return kept


def _shows_already(outer: Layer, layer: Layer) -> bool:
    """Whether the outer folder brings the layer with it: as it is, or as a link, on which nothing can be mounted."""
    if not layer.kind == outer.kind == "shown":
        return False
    return os.path.realpath(outer.source + layer.path[len(outer.path) :]) == os.path.realpath(layer.source)


def _sockets(environment: Mapping[str, str]) -> list[str]:
    """The sockets that programs of this machine listen on by name: a read-only mount does not keep anyone from them."""
    given = [environment.get("SSH_AUTH_SOCK", ""), environment.get("DOCKER_HOST", "").removeprefix("unix://")]
    try:
        lines = Path("/proc/net/unix").read_text("utf-8", errors="surrogateescape").splitlines()[1:]
    except OSError:
        lines = []
    # Num RefCount Protocol Flags Type St Inode Path; the path may hold blanks.
    given += [fields[7] for fields in (line.split(maxsplit=7) for line in lines) if len(fields) == 8]
    paths = {os.path.realpath(path) for path in given if path.startswith("/")}
    return sorted(path for path in paths if _is_socket(path))


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).lstat().st_mode)
    except (OSError, ValueError):
        return False
