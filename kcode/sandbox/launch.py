"""From a rung, a mount and a command to one program to start: the launcher with its orders."""

from __future__ import annotations

import marshal
import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kcode.draft.files import FolderMount, OverlayMount
from kcode.errors import NoSandboxError, SandboxError
from kcode.sandbox.bubblewrap import bubblewrap_arguments
from kcode.sandbox.rungs import Rung
from kcode.sandbox.seccomp import seccomp_filter
from kcode.sandbox.surroundings import command_environment, layers, target_of

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Collection, Mapping, Sequence

    from kcode.draft.files import Mount
    from kcode.sandbox.rungs import Limits, Sandbox

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Task:
    """A command as it is wanted: over which mount, in which folder relative to the workspace, within which limits."""

    mount: Mount
    argv: Sequence[str]
    folder: str
    limits: Limits
    environment: Mapping[str, str]
    passed_names: Collection[str] = ()
    outputs: Path | None = None
    reports: Path | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """A program to start in the event loop's thread, and the descriptors that it inherits."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    descriptors: tuple[int, ...]


def launch_of(sandbox: Sandbox, task: Task, *, status: int, lifeline: int, closing: contextlib.ExitStack) -> Launch:
    """Prepare the launcher's orders; `closing` closes the descriptors made here, once the program has started."""
    _require_place(sandbox, task)
    environment = command_environment(task.environment, task.passed_names)
    kept = [status]
    orders: dict[str, Any] = {
        "parent": os.getpid(),
        "status": status,
        "ids": (os.geteuid(), os.getegid()),
        "limits": _limits(task.limits),
        "processes": task.limits.processes,
        "overlay": None,
        "argv": [os.fsencode(word) for word in task.argv],
        "folder": os.fsencode(_folder(target_of(task.mount), task.folder)),
    }
    mount = task.mount
    if sandbox.rung in {Rung.OVERLAY_BWRAP, Rung.OVERLAY_NAMESPACES} and isinstance(mount, OverlayMount):
        orders["overlay"] = tuple(os.fsencode(path) for path in (mount.lower, mount.upper, mount.work))
    match sandbox.rung:
        case Rung.OVERLAY_BWRAP | Rung.BWRAP_OVERLAY | Rung.BWRAP:
            program = seccomp_filter()
            filter_fd = _readable(program, closing) if program else None
            kept += [filter_fd] if filter_fd is not None else []
            line = bubblewrap_arguments(
                sandbox,
                mount,
                layers(
                    mount,
                    task.environment,
                    task.outputs,
                    task.reports,
                    mounts_overlay=sandbox.rung is Rung.BWRAP_OVERLAY,
                ),
                folder=os.fsdecode(orders["folder"]),
                private_size=_private_size(),
                filter_fd=filter_fd,
                status_fd=status,
            )
            orders |= {"how": "handover", "argv": [os.fsencode(word) for word in (*line, *task.argv)]}
        case Rung.OVERLAY_NAMESPACES | Rung.NAMESPACES:
            found = layers(mount, task.environment, task.outputs, task.reports)
            orders |= {
                "how": "isolate",
                "layers": [(layer.kind, os.fsencode(layer.source), os.fsencode(layer.path)) for layer in found],
                "private_size": _private_size(),
                "seccomp": seccomp_filter(),
            }
        case _:
            assert isinstance(mount, FolderMount)
            orders |= _supervised(sandbox, task, mount)
            environment["PYTHONPATH"] = _python_path(mount.source, environment.get("PYTHONPATH", ""))
            orders["lifeline"] = lifeline
            kept.append(lifeline)
            del environment["XDG_CACHE_HOME"]
            if task.reports is not None:
                environment["KCODE_REPORT"] = str(task.reports)
            environment["TMPDIR"] = task.environment.get("TMPDIR", tempfile.gettempdir())
    kept.append(_readable(marshal.dumps(orders), closing))
    argv = (sys.executable, "-I", "-S", str(_LAUNCHER), str(kept[-1]))
    return Launch(argv, environment, tuple(kept))


def _require_place(sandbox: Sandbox, task: Task) -> None:
    if sandbox.rung is Rung.NONE:
        reasons = "\n".join(f"- {reason}" for reason in sandbox.reasons)
        raise NoSandboxError(
            f"Commands cannot be isolated on this machine, so none is run:\n{reasons}\n"
            "Install bubblewrap, or give --no-sandbox to run commands with all your rights."
        )
    if isinstance(task.mount, OverlayMount) is not sandbox.overlay:
        raise SandboxError(f"The sandbox {sandbox.name} cannot show a draft of the other kind; start a new draft.")
    if not task.argv or any("\0" in word for word in task.argv):
        raise SandboxError("A command needs a program's name and cannot hold a NUL character.")


def _supervised(sandbox: Sandbox, task: Task, mount: FolderMount) -> dict[str, Any]:
    argv = list(task.argv)
    if sandbox.rung is Rung.SEATBELT:
        from kcode.sandbox.seatbelt import PROGRAM, seatbelt_profile  # noqa: PLC0415

        masks = [layer.path for layer in layers(mount, task.environment) if layer.kind in {"empty", "null"}]
        argv = [PROGRAM, "-p", seatbelt_profile(mount.source, masks, task.reports), *argv]
    folder = _folder(mount.source, task.folder)
    return {"how": "supervise", "argv": [os.fsencode(word) for word in argv], "folder": os.fsencode(folder)}


def _python_path(copy: Path, given: str) -> str:
    """Have Python import from the draft's copy what is installed from the workspace, which stands elsewhere.

    That covers the copy's top folder and its `src`, for editable installs by a `.pth` file or by a finder that comes
    after Python's own, as setuptools' does. It does not cover packages in other folders (`packages/*/src`), finders
    that come first (meson-python, scikit-build-core), or a Python that is told not to look (`-I`, `-E`).
    """
    roots = [copy / "src", copy] if (copy / "src").is_dir() else [copy]
    return os.pathsep.join([*map(str, roots), *([given] if given else [])])


def _folder(root: Path, folder: str) -> str:
    inside = os.path.normpath(root / folder)
    if Path(folder).is_absolute() or not Path(inside).is_relative_to(root) or "\0" in folder:
        raise SandboxError(f"{folder!r} is not a folder of the workspace; name one relative to {root}.")
    return inside


def _limits(limits: Limits) -> list[tuple[int, int]]:
    cpu = limits.cpu_seconds or int(limits.seconds) * (os.cpu_count() or 1) + 10
    pairs = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, limits.file_size), (resource.RLIMIT_CPU, cpu)]
    return pairs + ([(resource.RLIMIT_AS, limits.memory)] if limits.memory else [])


def _private_size() -> int:
    """A private folder lives in memory: a quarter of the machine's, as a cap."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4


def _readable(data: bytes, closing: contextlib.ExitStack) -> int:
    """A descriptor from which the data can be read, however long it is."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("kcode-orders")
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            descriptor = os.dup(file.fileno())
    closing.callback(os.close, descriptor)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
