"""The system calls that a command may not make, as a BPF program for the kernel.

Sockets of the Unix family stay allowed: multiprocessing's managers and forkserver, and many test suites, need them. The
network namespace keeps abstract sockets apart, and the listening sockets of the machine are covered by name (see
surroundings.py). Of the other families only IP and netlink remain, which the network namespace confines; vsock, for
one, is not confined by it and reaches the host of a virtual machine.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass

# From linux/filter.h: load a word, jump if equal / greater or equal / any bit set, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97

# Offsets in struct seccomp_data, low halves of the arguments (both machines are little-endian).
_NUMBER, _MACHINE, _FIRST, _SECOND = 0, 4, 16, 24

_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* bit

# The same on every machine: open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr open_tree_attr,
# io_uring_setup io_uring_enter io_uring_register.
_SHARED_REFUSED = (428, 429, 430, 431, 432, 433, 442, 467, 425, 426, 427)
_CLONE3 = 435


@dataclass(frozen=True, slots=True)
class _Machine:
    audit: int
    ioctl: int
    socket: int
    clone: int
    # ptrace process_vm_readv process_vm_writev add_key request_key keyctl bpf userfaultfd perf_event_open
    # mount umount2 pivot_root unshare setns open_by_handle_at
    refused: tuple[int, ...]


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E, 16, 41, 56, (101, 310, 311, 248, 249, 250, 321, 323, 298, 165, 166, 155, 272, 308, 304)
    ),
    "aarch64": _Machine(
        0xC00000B7, 29, 198, 220, (117, 270, 271, 217, 218, 219, 280, 282, 241, 40, 39, 41, 97, 268, 265)
    ),
}


def seccomp_filter(machine: str = "") -> bytes:
    """The filter for the machine's name as `uname -m` gives it; empty where its call numbers are not known."""
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return b""
    steps = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, known.audit),
        # Programs of another word size have other call numbers, which this filter would misread.
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        # The x32 numbers of x86_64; no other machine has numbers this high.
        (_AT_LEAST, 0, 1, 0x40000000),
        (_RETURN, 0, 0, _ERROR | _ENOSYS),
    ]
    for number in known.refused + _SHARED_REFUSED:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | _EPERM)]
    # A filter cannot read clone3's flags, which lie behind a pointer; without it the C library takes clone.
    steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | _ENOSYS)]
    steps += [
        (_EQUAL, 0, 3, known.clone),
        (_LOAD, 0, 0, _FIRST),
        (_ANY_BIT, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, _ERROR | _EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, 4, known.ioctl),
        (_LOAD, 0, 0, _SECOND),
        (_EQUAL, 1, 0, _TIOCSTI),
        (_EQUAL, 0, 1, _TIOCLINUX),
        (_RETURN, 0, 0, _ERROR | _EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, len(_FAMILIES) + 2, known.socket),
        (_LOAD, 0, 0, _FIRST),
    ]
    steps += [(_EQUAL, len(_FAMILIES) - at, 0, family) for at, family in enumerate(_FAMILIES)]
    steps += [(_RETURN, 0, 0, _ERROR | _EAFNOSUPPORT), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)
