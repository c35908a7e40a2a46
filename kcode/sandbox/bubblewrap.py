"""The same isolation in bubblewrap's words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kcode.draft.files import OverlayMount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.files import Mount
    from kcode.sandbox.rungs import Sandbox
    from kcode.sandbox.surroundings import Layer


def bubblewrap_arguments(
    sandbox: Sandbox,
    mount: Mount,
    layers: Sequence[Layer],
    *,
    folder: str,
    private_size: int,
    filter_fd: int | None,
    status_fd: int,
) -> list[str]:
    """All of bubblewrap's command line but the command. The two descriptors are its own to read and write."""
    # No --new-session: kcode starts it in a session of its own, and a TERM must reach the command.
    line = [sandbox.program, "--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL"]
    # The overlay is mounted as root of an outer namespace; the command is to see the user's own ids.
    line += ["--uid", str(os.geteuid()), "--gid", str(os.getegid())]
    line += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for path in _machine_settings():
        line += ["--ro-bind", path, path]
    for layer in layers:
        line += _layer_arguments(sandbox, mount, layer, private_size)
    # After all else, since what is mounted inside needs a mount point made.
    for layer in layers:
        line += ["--remount-ro", layer.path] if layer.kind == "empty" else []
    line += ["--seccomp", str(filter_fd)] if filter_fd is not None else []
    return [*line, "--json-status-fd", str(status_fd), "--chdir", folder, "--"]


def _machine_settings() -> list[str]:
    """What real root may write in /proc without any capability: core_pattern there runs a program outside.

    bubblewrap covers /proc/sys only when the folder itself looks writable, which it never does.
    """
    entries = [entry for entry in os.scandir("/proc") if not entry.name.isdigit() and not entry.is_symlink()]
    return [entry.path for entry in entries if entry.is_dir() or entry.stat().st_mode & 0o222]


def _layer_arguments(sandbox: Sandbox, mount: Mount, layer: Layer, private_size: int) -> list[str]:
    match layer.kind:
        case "private":
            # --perms came with 0.5, --size with 0.7.
            line = ["--perms", "1777"] if sandbox.version >= (0, 5) else []
            line += ["--size", str(private_size)] if sandbox.version >= (0, 7) else []
            return [*line, "--tmpfs", layer.path]
        case "empty":
            return ["--tmpfs", layer.path]
        case "null":
            return ["--ro-bind", "/dev/null", layer.path]
        case "shown":
            return ["--ro-bind", layer.source, layer.path]
        case "writable":
            return ["--bind", layer.source, layer.path]
        case "overlay":
            assert isinstance(mount, OverlayMount)
            line = ["--overlay-src", str(mount.lower)]
            return [*line, "--overlay", str(mount.upper), str(mount.work), layer.path]
