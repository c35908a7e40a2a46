from __future__ import annotations

import struct

import pytest

from kcode.sandbox.seccomp import seccomp_filter

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
EPERM, ENOSYS, EAFNOSUPPORT = 0x50001, 0x50026, 0x50061
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def decide(machine: str, number: int, *arguments: int, audit: int = 0) -> int:
    """Run the filter as the kernel does."""
    data = struct.pack("<IIQ6Q", number, audit or AUDIT[machine], 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    steps = list(struct.iter_unpack("<HBBI", seccomp_filter(machine)))
    at = value = 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        elif code == 0x06:
            return int(operand)
        else:
            met = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += yes if met else no


@pytest.mark.parametrize(
    ("machine", "calls"),
    [
        ("x86_64", {"read": 0, "ioctl": 16, "socket": 41, "clone": 56, "mount": 165, "ptrace": 101, "unshare": 272}),
        ("aarch64", {"read": 63, "ioctl": 29, "socket": 198, "clone": 220, "mount": 40, "ptrace": 117, "unshare": 97}),
    ],
)
def test_the_filter_decides_each_call_as_meant(machine: str, calls: dict[str, int]) -> None:
    assert decide(machine, calls["read"]) == ALLOWED
    for name in ("mount", "ptrace", "unshare"):
        assert decide(machine, calls[name]) == EPERM
    for shared in (425, 428, 429, 442):
        assert decide(machine, shared) == EPERM
    assert decide(machine, 435) == ENOSYS
    assert decide(machine, calls["clone"], 17) == ALLOWED
    assert decide(machine, calls["clone"], 0x003D0F00) == ALLOWED
    assert decide(machine, calls["clone"], 0x10000011) == EPERM
    assert decide(machine, calls["ioctl"], 0, 0x5401) == ALLOWED
    assert decide(machine, calls["ioctl"], 0, 0x5412) == EPERM
    assert decide(machine, calls["ioctl"], 0, 0x1_0000_5412) == EPERM
    assert decide(machine, calls["ioctl"], 0, 0x541C) == EPERM
    for family, decision in ((1, ALLOWED), (2, ALLOWED), (10, ALLOWED), (16, ALLOWED), (40, EAFNOSUPPORT)):
        assert decide(machine, calls["socket"], family, 1) == decision
    assert decide(machine, 0x40000000 + calls["read"]) == ENOSYS
    assert decide(machine, calls["read"], audit=0x40000003) == KILLED


def test_an_unknown_machine_gets_no_filter_rather_than_a_wrong_one() -> None:
    assert seccomp_filter("sparc") == b""
