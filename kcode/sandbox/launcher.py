"""Stands between kcode and a command: takes on the limits, isolates as its orders say, and starts the command.

A program of its own, run as `python -I -S launcher.py FD` by the interpreter that runs kcode: it imports nothing of
kcode, and little else, since each command waits for it. FD holds a marshalled dict (paths are bytes):

parent    the process id of kcode; the launcher ends with it
status    a descriptor for lines of status: `child-pid N`, `exit-code N`, `signal N`, `error TEXT`
ids       (user, group) that the command is to have
limits    [(resource, number)], inherited by all
processes the most processes and threads that the command's user namespace may have
overlay   None or (lower, upper, work), mounted at lower in a new user and mount namespace
how       "handover": replace the launcher with `argv`, a program that isolates further
          "isolate": isolate with namespaces, then run `argv` (see Isolation in namespaces.py for the further keys)
          "supervise": run `argv` as it is, and end all that it leaves behind; `lifeline` is a descriptor whose end
          of file says that kcode wants the end, or is gone
folder    where the command starts
"""

# pathlib and contextlib would cost every command milliseconds, and to become another program is the purpose.
# ruff: noqa: PTH103, PTH120, PTH211, PTH102, PTH110, PTH116, PTH123, S606, SIM105
from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import select
import signal
import stat
import sys
import time

TYPE_CHECKING = False  # as the typing module has it, without the time that its import takes
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Orders = dict[str, Any]

# Calls and flags of the kernel, from linux/mount.h, sched.h, prctl.h. These three numbers are the same everywhere.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_CLONE_TREE, _FROM_EMPTY_PATH = 1 | os.O_CLOEXEC, 4
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_RECURSIVE, _PRIVATE = 1 << 14, 1 << 18
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_NEW_REST = 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x02000000  # pid, net, ipc, uts, cgroup
_PDEATHSIG, _SECCOMP, _DROP_BOUND, _SUBREAPER, _NO_NEW_PRIVILEGES, _AMBIENT = 1, 22, 24, 36, 38, 47
_DEVICES = (b"null", b"zero", b"full", b"random", b"urandom", b"tty")

_libc = ctypes.CDLL(None, use_errno=True)


class SetupError(Exception):
    """The kernel refused a step of the isolation."""


def _check(result: int, what: str) -> int:
    if result < 0:
        raise SetupError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _mount(source: bytes | None, target: bytes, kind: bytes, flags: int, options: bytes | None) -> None:
    what = f"mounting {kind.decode() or 'propagation'} on {os.fsdecode(target)}"
    _check(_libc.mount(source, target, kind, ctypes.c_ulong(flags), options), what)


def _clone_tree(path: bytes) -> int:
    """A detached copy of what is mounted at the path and below, as a descriptor."""
    flags = ctypes.c_uint(_CLONE_TREE | _AT_RECURSIVE)
    return _check(_libc.syscall(_OPEN_TREE, _AT_FDCWD, path, flags), f"copying the mount {os.fsdecode(path)}")


def _attach(tree: int, path: bytes) -> None:
    result = _libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, path, ctypes.c_uint(_FROM_EMPTY_PATH))
    _check(result, f"attaching a mount at {os.fsdecode(path)}")
    os.close(tree)


def _restrict(tree: int, path: bytes, attributes: int, *, recursive: bool) -> None:
    fields = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    flags = ctypes.c_uint((_AT_RECURSIVE if recursive else 0) | (_AT_EMPTY_PATH if not path else 0))
    size = ctypes.c_size_t(ctypes.sizeof(fields))
    _check(_libc.syscall(_MOUNT_SETATTR, tree, path, flags, fields, size), f"restricting the mount {os.fsdecode(path)}")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _end_with_parent() -> None:
    # Every change of credentials clears this, so it is set again after each.
    _check(_libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "asking to end with kcode")


def _enter_namespaces(flags: int, inside: tuple[int, int]) -> None:
    """Enter new namespaces, in which this process has all capabilities and the ids `inside`."""
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(flags), "making namespaces")
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{inside[0]} {user} 1")
        _write("/proc/self/gid_map", f"{inside[1]} {group} 1")
    except OSError as error:
        raise SetupError(f"mapping the user into the namespace: {error.strerror}") from error
    _end_with_parent()
    _mount(None, b"/", b"", _RECURSIVE | _PRIVATE, None)


def _mount_overlay(lower: bytes, upper: bytes, work: bytes) -> None:
    # Named by descriptors, the folders need no escapes, which kernels read differently, and have no length limit. They
    # are opened here, since a mount of another namespace is refused.
    folders = [os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for path in (lower, upper, work)]
    names = "lowerdir=/proc/self/fd/{},upperdir=/proc/self/fd/{},workdir=/proc/self/fd/{}".format(*folders).encode()
    try:
        _mount(b"overlay", lower, b"overlay", 0, names + b",userxattr")
    except SetupError:
        _mount(b"overlay", lower, b"overlay", 0, names)
    for folder in folders:
        os.close(folder)


def _make_mount_point(path: bytes, *, is_folder: bool) -> None:
    if os.path.lexists(path):
        return
    os.makedirs(path if is_folder else os.path.dirname(path), mode=0o755, exist_ok=True)
    if not is_folder:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def _mount_devices(trees: dict[bytes, int]) -> None:
    _mount(b"tmpfs", b"/dev", b"tmpfs", _NO_SUID | _NO_EXEC, b"mode=755,size=16m")
    for name, tree in trees.items():
        path = b"/dev/" + name
        _make_mount_point(path, is_folder=False)
        _attach(tree, path)
    for name, target in ((b"fd", b""), (b"stdin", b"/0"), (b"stdout", b"/1"), (b"stderr", b"/2")):
        os.symlink(b"/proc/self/fd" + target, b"/dev/" + name)
    os.mkdir(b"/dev/pts")
    os.mkdir(b"/dev/shm")
    _mount(b"devpts", b"/dev/pts", b"devpts", _NO_SUID | _NO_EXEC, b"newinstance,ptmxmode=0666,mode=620")
    os.symlink(b"pts/ptmx", b"/dev/ptmx")
    _mount(b"tmpfs", b"/dev/shm", b"tmpfs", _NO_SUID | 4, b"mode=1777")


def _mount_processes() -> None:
    """A /proc of the new process namespace, whose settings of the machine are read-only: real root may write them."""
    _mount(b"proc", b"/proc", b"proc", _NO_SUID | _NO_EXEC | 4, None)
    for entry in os.scandir(b"/proc"):
        if entry.name.isdigit() or entry.is_symlink():
            continue
        if entry.is_dir() or entry.stat().st_mode & 0o222:
            tree = _clone_tree(entry.path)
            _restrict(tree, b"", _READ_ONLY, recursive=True)
            _attach(tree, entry.path)


def _arrange_files(orders: Orders) -> None:
    """Make `/` read-only and put the layers over it, in the order given, which is from the outside in."""
    devices = {name: _clone_tree(b"/dev/" + name) for name in _DEVICES if os.path.exists(b"/dev/" + name)}
    trees = []
    for kind, source, path in orders["layers"]:
        tree, is_folder = -1, kind in {"private", "empty"}
        if kind == "null":
            tree = _clone_tree(b"/dev/null")
        elif not is_folder:
            tree, is_folder = _clone_tree(source), stat.S_ISDIR(os.stat(source).st_mode)
        if kind in {"shown", "null"}:
            _restrict(tree, b"", _READ_ONLY | _NO_SUID, recursive=True)
        trees.append((kind, path, tree, is_folder))
    _restrict(_AT_FDCWD, b"/", _READ_ONLY | _NO_SUID, recursive=True)
    _mount_processes()
    _mount_devices(devices)
    for kind, path, tree, is_folder in trees:
        _make_mount_point(path, is_folder=is_folder)
        if kind == "private":
            _mount(b"tmpfs", path, b"tmpfs", _NO_SUID | 4, b"mode=1777,size=%d" % orders["private_size"])
        elif kind == "empty":
            _mount(b"tmpfs", path, b"tmpfs", _NO_SUID | 4, b"mode=755,size=64k")
        else:
            _attach(tree, path)
    for kind, path, _, _ in trees:
        if kind == "empty":
            _restrict(_AT_FDCWD, path, _READ_ONLY, recursive=False)


def _start_loopback() -> None:
    # SIOCGIFFLAGS and SIOCSIFFLAGS with a struct ifreq: 16 bytes of name, then the flags; 1 is IFF_UP.
    request = ctypes.create_string_buffer(b"lo", 40)
    socket = _check(_libc.socket(2, 2, 0), "opening a socket")
    _check(_libc.ioctl(socket, ctypes.c_ulong(0x8913), request), "reading the loopback interface")
    request[16] = bytes([request.raw[16] | 1])
    _check(_libc.ioctl(socket, ctypes.c_ulong(0x8914), request), "starting the loopback interface")
    os.close(socket)


def _renounce_privileges(program: bytes) -> None:
    capability = 0
    while _libc.prctl(_DROP_BOUND, capability, 0, 0, 0) == 0:
        capability += 1
    _libc.prctl(_AMBIENT, 4, 0, 0, 0)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _check(_libc.capset(header, sets), "dropping capabilities")
    _check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "renouncing new privileges")
    if program:
        _filter_calls(program)


def _filter_calls(program: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    filled = Program(len(program) // 8, program)
    _check(_libc.prctl(_SECCOMP, 2, ctypes.byref(filled), 0, 0), "filtering system calls")


def _limit(pairs: list[tuple[int, int]]) -> None:
    for kind, number in pairs:
        _, hard = resource.getrlimit(kind)
        most = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(kind, (most, most))


def _start(argv: list[bytes]) -> NoReturn:
    """Become the command; a name that cannot be run ends with the codes and words of a shell."""
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, b"kcode: %s: %s\n" % (argv[0], os.strerror(error.errno or 0).encode()))
        os._exit(127 if error.errno == errno.ENOENT else 126)


def _report(orders: Orders, status: int) -> None:
    line = f"signal {os.WTERMSIG(status)}\n" if os.WIFSIGNALED(status) else f"exit-code {os.WEXITSTATUS(status)}\n"
    os.write(orders["status"], line.encode())


def _run_first_process(orders: Orders, alive: int) -> NoReturn:
    """Be process 1 of the new namespace: isolate, start the command, bury the dead, end with the command."""
    _end_with_parent()
    if select.select([alive], [], [], 0)[0]:
        os._exit(1)
    os.close(alive)
    _start_loopback()
    _arrange_files(orders)
    try:
        os.chdir(orders["folder"])
    except OSError as error:
        raise SetupError(f"{os.fsdecode(orders['folder'])} cannot be entered: {error.strerror}") from error
    _limit([(resource.RLIMIT_NPROC, orders["processes"])])
    _renounce_privileges(orders["seccomp"])
    _end_with_parent()
    command = os.fork()
    if command == 0:
        os.close(orders["status"])
        _start(orders["argv"])
    while True:
        process, status = os.wait()
        if process == command:
            _report(orders, status)
            os._exit(0)


def _isolate(orders: Orders) -> NoReturn:
    _enter_namespaces(_NEW_USER | _NEW_MOUNTS | _NEW_REST, orders["ids"])
    if orders["overlay"]:
        _mount_overlay(*orders["overlay"])
    alive, held = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(held)
        _guarded(orders, lambda: _run_first_process(orders, alive))
    os.close(alive)
    os.write(orders["status"], f"child-pid {first}\n".encode())
    # When process 1 is gone, the kernel has ended all others of its namespace.
    os.waitpid(first, 0)
    os._exit(0)


def _hand_over(orders: Orders) -> NoReturn:
    if orders["overlay"]:
        # As id 0 the program keeps its capabilities over execve.
        _enter_namespaces(_NEW_USER | _NEW_MOUNTS, (0, 0))
        _mount_overlay(*orders["overlay"])
        _limit([(resource.RLIMIT_NPROC, orders["processes"])])
    try:
        os.execv(orders["argv"][0], orders["argv"])
    except OSError as error:
        raise SetupError(f"{os.fsdecode(orders['argv'][0])} cannot be run: {error.strerror}") from error


def _supervise(orders: Orders) -> NoReturn:
    if sys.platform == "linux":
        # A process that lost its parent becomes our child, so none gets away.
        _check(_libc.prctl(_SUBREAPER, 1, 0, 0, 0), "adopting orphans")
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    os.chdir(orders["folder"])
    command = os.fork()
    if command == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(orders["status"])
        os.close(orders["lifeline"])
        _start(orders["argv"])
    os.write(orders["status"], f"child-pid {command}\n".encode())
    while not select.select([woken, orders["lifeline"]], [], [])[0].count(orders["lifeline"]):
        os.read(woken, 512)
        if _bury(command, orders):
            break
    _end_children(command)
    os._exit(0)


def _bury(command: int, orders: Orders) -> bool:
    """Reap what has ended; True when the command is among it."""
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == command:
                _report(orders, found[1])
                return True
    except ChildProcessError:
        return True
    return False


def _end_children(command: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for process in _children() or [-command]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def _guarded(orders: Orders, action: Callable[[], None]) -> None:
    try:
        action()
    except (SetupError, OSError) as error:
        line = " ".join(str(error).split())
        os.write(orders["status"], f"error {line}\n".encode(errors="backslashreplace"))
        os._exit(1)


def _prepare(orders: Orders) -> None:
    """Take on what holds for all ways: end with kcode, limits, and signals as a command expects to find them."""
    if sys.platform == "linux" and orders["how"] != "supervise":
        _end_with_parent()
        if os.getppid() != orders["parent"]:
            os._exit(1)
    if sys.platform == "linux":
        # When memory runs out the kernel takes the command first, not the user's editor.
        _write("/proc/self/oom_score_adj", "1000")
    _limit(orders["limits"])
    # Python ignores these two, and an ignored signal stays ignored in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    {"handover": _hand_over, "isolate": _isolate, "supervise": _supervise}[orders["how"]](orders)


def main() -> None:
    with open(int(sys.argv[1]), "rb") as file:
        file.seek(0)
        orders = marshal.load(file)  # noqa: S302 - kcode wrote it, by this same interpreter
    _guarded(orders, lambda: _prepare(orders))


if __name__ == "__main__":
    main()
