from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.errors import SessionError
from kcode.session.log import Log, decode_record, encode_record, read_first_record, read_log, repair_log

RECORDS = [{"type": "message", "number": n, "text": "é\n\udcff☃" * n} for n in range(6)]

# Appends without end, and says which records it was told are safe.
WRITER = """
import sys
from pathlib import Path
from kcode.session.log import Log
number, name = int(sys.argv[2]), sys.argv[3]
with Log(Path(sys.argv[1])) as log:
    while True:
        log.append({"number": number, "by": name, "padding": "☃x" * (number * 37 % 2000)})
        print(number, flush=True)
        number += 1
"""


def write(path: Path, *records: dict[str, Any]) -> bytes:
    with Log(path) as log:
        for record in records:
            log.append(record)
    return path.read_bytes()


def start_writer(path: Path, number: int, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number), name], stdout=subprocess.PIPE)


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, *RECORDS[:3])
    write(path, *RECORDS[3:])
    contents = read_log(path)
    assert list(contents.records) == RECORDS
    assert contents.damage == ()
    assert read_first_record(path) == RECORDS[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(
    st.dictionaries(
        st.text(), st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists, max_leaves=4)
    )
)
def test_a_record_is_one_line_whatever_is_in_it(record: dict[str, Any]) -> None:
    record = {"type": "x"} | record
    line = encode_record(record)
    assert line.count(b"\n") == 1
    assert decode_record(line) == record
    assert json.loads(line) == record | {"crc": json.loads(line)["crc"]}


def test_a_log_cut_at_any_byte_keeps_the_records_before(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = write(path, *RECORDS)
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        contents = read_log(path)
        complete = whole[:length].count(b"\n")
        assert list(contents.records) == RECORDS[:complete]
        torn = length - (whole[:length].rfind(b"\n") + 1)
        assert [(d.line, d.length, d.at_end) for d in contents.damage] == ([(complete + 1, torn, True)] if torn else [])


def test_a_record_appended_after_a_torn_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = write(path, *RECORDS)
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        write(path, {"type": "later"})
        contents = read_log(path)
        # A record that lacks its newline alone is whole again.
        kept = (whole[:length] + b"\n").count(b"}\n")
        assert list(contents.records) == [*RECORDS[:kept], {"type": "later"}]
        assert not any(damage.at_end for damage in contents.damage)


def test_any_flipped_bit_is_found_and_costs_no_record_after_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = write(path, *RECORDS)
    for place in range(len(whole)):
        for bit in (0x01, 0x20, 0x80):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            contents = read_log(path)
            assert contents.damage
            line = whole[:place].count(b"\n")
            # A flipped newline joins two records, and costs both.
            kept = RECORDS[:line] + RECORDS[line + (2 if whole[place : place + 1] == b"\n" else 1) :]
            assert list(contents.records) == kept


def test_zeros_at_the_end_as_a_power_cut_leaves_them_cost_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(write(path, *RECORDS) + bytes(4096))
    assert list(read_log(path).records) == RECORDS
    write(path, {"type": "later"})
    assert list(read_log(path).records) == [*RECORDS, {"type": "later"}]


def test_a_repair_keeps_the_damaged_file_and_every_whole_record(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = write(path, *RECORDS)
    damaged = whole[:80] + b"\r#" + whole[82:] + b'{"type":"mess'
    path.write_bytes(damaged)
    before = read_log(path).records
    kept = repair_log(path)
    assert kept is not None
    assert kept.read_bytes() == damaged
    assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_log(path).records == before
    assert read_log(path).damage == ()
    assert sorted(tmp_path.iterdir()) == sorted([path, kept])


def test_a_second_repair_keeps_both_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, *RECORDS)
    kept = []
    for tail in (b"first", b"second"):
        path.write_bytes(path.read_bytes() + tail)
        kept.append(repair_log(path))
    assert [name.read_bytes().rpartition(b"\n")[2] for name in kept if name] == [b"first", b"second"]


def test_a_log_without_damage_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write(path, *RECORDS)
    inode = path.stat().st_ino
    assert repair_log(path) is None
    assert path.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_goes_on_in_the_repaired_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with Log(path) as log:
        log.append({"number": 1})
        path.write_bytes(path.read_bytes() + b"torn")
        assert repair_log(path)
        log.append({"number": 2}, durable=True)
    assert read_log(path).records == ({"number": 1}, {"number": 2})


def test_a_killed_writer_loses_no_record_that_it_was_told_is_safe(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    following = 0
    for round_ in range(15):
        writer = start_writer(path, following, "killed")
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(1 + 13 * round_)]
        writer.send_signal(signal.SIGKILL)
        # What was said between the last line read and the kill counts too; a line cut by the kill does not.
        acknowledged += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
        writer.wait()
        writer.stdout.close()
        contents = read_log(path)
        numbers = [record["number"] for record in contents.records]
        assert numbers == list(range(len(numbers)))
        assert numbers[-1] >= acknowledged[-1]
        assert all(damage.length > 0 for damage in contents.damage)
        following = len(numbers)


def test_two_writers_cost_each_other_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writers = {name: start_writer(path, 0, name) for name in ("one", "two")}
    for writer in writers.values():
        assert writer.stdout is not None
        for _ in range(100):
            writer.stdout.readline()
    for writer in writers.values():
        writer.kill()
    for writer in writers.values():
        writer.communicate()
    contents = read_log(path)
    for name in writers:
        numbers = [record["number"] for record in contents.records if record["by"] == name]
        assert len(numbers) >= 100
        assert numbers == list(range(len(numbers)))
    assert len(contents.damage) <= 2


def test_an_append_waits_for_another_process_to_let_go(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with Log(path) as log:
        other = os.open(path, os.O_RDWR)
        fcntl.flock(other, fcntl.LOCK_EX)
        release = threading.Timer(0.1, os.close, [other])
        release.start()
        log.append({"type": "patient"})
        release.join()
    assert read_log(path).records == ({"type": "patient"},)


def test_a_lock_that_is_never_released_ends_in_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with Log(path, lock_seconds=0.2) as log:
        other = os.open(path, os.O_RDWR)
        fcntl.flock(other, fcntl.LOCK_EX)
        start = time.monotonic()
        with pytest.raises(SessionError, match="another process holds its lock"):
            log.append({"type": "hopeless"})
        assert time.monotonic() - start < 5
        os.close(other)
        log.append({"type": "later"})
    assert read_log(path).records == ({"type": "later"},)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_an_error_that_names_the_file() -> None:
    with Log(Path("/dev/full")) as log:
        for _ in range(2):
            with pytest.raises(SessionError, match=r"/dev/full cannot be written: No space left on device"):
                log.append({"type": "message"})


def test_after_a_write_that_was_cut_short_later_appends_still_work(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Log(path) as log:
        log.append({"type": "before"})
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, hard))
        try:
            with pytest.raises(SessionError, match=r"log\.jsonl cannot be written"):
                log.append({"type": "too long for what is left", "padding": "x" * 1000})
            with pytest.raises(SessionError, match=r"log\.jsonl cannot be written"):
                log.append({"type": "nothing is left"})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        log.append({"type": "after"}, durable=True)
    contents = read_log(path)
    assert contents.records == ({"type": "before"}, {"type": "after"})
    assert [(damage.length, damage.at_end) for damage in contents.damage] == [(21, False)]


def test_a_log_whose_folder_was_deleted_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    with Log(folder / "log.jsonl") as log:
        (folder / "log.jsonl").unlink()
        log.append({"type": "in a new file"})
        (folder / "log.jsonl").unlink()
        folder.rmdir()
        with pytest.raises(SessionError, match=r"log\.jsonl cannot be opened"):
            log.append({"type": "message"})


def test_a_log_that_cannot_be_opened_or_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SessionError, match=r"link\.jsonl cannot be opened"):
        Log(tmp_path / "link.jsonl")
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(SessionError, match=r"missing\.jsonl cannot be read"):
        read_log(tmp_path / "missing.jsonl")
    assert read_first_record(tmp_path / "missing.jsonl") is None
    with pytest.raises(SessionError, match="cannot be opened"):
        Log(tmp_path)


def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.close()
    log.close()
