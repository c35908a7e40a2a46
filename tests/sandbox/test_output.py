from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.results import CommandEnd
from kcode.sandbox import Limits
from kcode.sandbox.capture import KEPT, Capture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.place import Place


def test_output_and_errors_come_merged_and_in_order(best_place: Place) -> None:
    heard: list[str] = []
    result = best_place.sh("echo a; echo b >&2; echo c", on_output=heard.append)
    assert result.output == "a\nb\nc\n"
    assert "".join(heard) == "a\nb\nc\n"
    assert result.output_name is None


def test_input_is_at_its_end(place: Place) -> None:
    assert place.sh("cat; echo end").output == "end\n"


def test_output_is_heard_while_the_command_runs(place: Place) -> None:
    async def listen() -> bool:
        heard = asyncio.Event()
        task = asyncio.create_task(place.start("/bin/sh", "-c", "echo now; sleep 600", on_output=lambda _: heard.set()))
        await asyncio.wait_for(heard.wait(), 10)
        running = not task.done()
        task.cancel()
        await asyncio.wait({task})
        return running

    assert asyncio.run(listen())


def test_long_output_is_cut_in_the_middle_and_kept_whole_in_a_file(best_place: Place, tmp_path: Path) -> None:
    file = tmp_path / "3.txt"
    result = best_place.sh("seq 100000", output_file=file)
    whole = "".join(f"{n}\n" for n in range(1, 100001))
    assert file.read_text() == whole
    assert file.stat().st_mode & 0o777 == 0o600
    assert result.output_name == "/tmp/kcode-output/3.txt"
    assert whole.startswith(result.output.partition("[... ")[0])
    assert len(result.output) < KEPT + 200
    assert result.output.endswith("\n99999\n100000\n")
    assert "bytes cut; the whole output is in /tmp/kcode-output/3.txt ...]\n" in result.output


def test_short_output_makes_no_file(best_place: Place, tmp_path: Path) -> None:
    assert best_place.sh("echo x", output_file=tmp_path / "1.txt").output_name is None
    assert not (tmp_path / "1.txt").exists()


def test_a_file_that_cannot_be_written_does_not_fail_the_command(best_place: Place, tmp_path: Path) -> None:
    result = best_place.sh("seq 100000", output_file=tmp_path / "missing" / "1.txt")
    assert result.exit_code == 0
    assert result.output_name is None
    assert "the rest could not be kept" in result.output
    assert "No such file or directory" in result.output


def test_a_flood_is_stopped(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "1.txt"
    result = place.run("yes", limits=Limits(seconds=20, output=300_000), output_file=file)
    assert result.end is CommandEnd.FLOOD
    assert file.stat().st_size == 300_000
    assert result.output.endswith("[kcode ended the command after 300,000 bytes of output]\n")
    assert result.seconds < 10


def test_bytes_that_are_no_text_are_replaced(best_place: Place) -> None:
    heard: list[str] = []
    result = best_place.sh("printf 'a\\377b\\303'; sleep 0.1; printf '\\251'", on_output=heard.append)
    assert result.output == "a\ufffdbé"
    assert "".join(heard) == "a\ufffdbé"


@given(st.lists(st.binary(max_size=9000), max_size=12), st.integers(1, 60_000))
def test_what_is_kept_is_a_head_and_a_tail(chunks: list[bytes], limit: int) -> None:
    heard: list[str] = []
    capture = Capture(limit, None, heard.append)
    for chunk in chunks:
        capture.feed(chunk)
    capture.finish()
    whole = b"".join(chunks)[:limit]
    assert capture.total == len(whole)
    assert "".join(heard) == whole.decode("utf-8", "replace")
    if len(whole) <= KEPT:
        assert capture.text("name") == whole.decode("utf-8", "replace")
    else:
        assert capture.is_cut
        assert len(capture.text("name").encode()) <= 3 * KEPT + 200


def test_a_cut_never_halves_a_character() -> None:
    for shift in range(4):
        capture = Capture(1 << 20, None, None)
        capture.feed(b"x" * shift + "€".encode() * 20_000)
        assert "\ufffd" not in capture.text("name")


def test_the_line_says_how_much_is_missing(tmp_path: Path) -> None:
    capture = Capture(1 << 20, tmp_path / "f", None)
    capture.feed(b"a\n" * 50_000)
    capture.finish()
    text = capture.text("f")
    head, _, rest = text.partition("[... ")
    number, _, tail = rest.partition(" bytes cut; the whole output is in f ...]\n")
    assert len(head) + len(tail) + int(number.replace(",", "")) == 100_000


@pytest.mark.parametrize("name", ["a/../../x", "/etc"])
def test_the_folder_stays_inside(best_place: Place, name: str) -> None:
    with pytest.raises(Exception, match="not a folder of the workspace"):
        best_place.sh("true", folder=name)
