"""Texts that have done harm elsewhere, wherever they may come from: the terminal gets what the interface draws, and no more."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.tui.terminal import Terminal, program_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory
    from tests.program import Program

ESCAPES = (
    "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]8;;https://owned.example\x07link\x1b]8;;\x07", "\x1b]52;c;b3duZWQ=\x07",
    "\x1bPowned\x1b\\", "\x1b_owned\x1b\\", "\x1b^owned\x1b\\", "\x1bXowned\x1b\\", "\x1bc", "\x1b[6n", "\x1b[5i", "\x1b[8;1;1t",
    "\x1b[38;5;201;9m", "\x1b[?1049l\x1b[2J", "\x1b[3J", "\x1b#8", "\x1b(0", "\x9b31;9m", "\x9d0;owned\x9c", "\x90owned\x9c",
    "\x1b]0;owned", "\x1b[", "\x1b", "\x0e", "\x0f", "\x05", "\x08\x08", "\x7f",
)  # fmt: skip
MARKUP = (
    "[red]owned[/red]",
    "[@click=app.quit]owned[/]",
    "[/]",
    "[link=https://owned.example]x[/link]",
    ":boom:",
    "[bold",
)
BIDI = tuple(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)))
NAUGHTY = (
    "\ufeff", "\u200b", "\u2028", "\u2029", "\xad", "\U000e0001\U000e0041", "e" + "\u0301" * 40, "\u0e01\u0e33\u0e33", "\ufffd",
    "ﬀ ǅ İ", "👩‍👩‍👧‍👧", "🇦🇧🇨", "漢字\u3000", "null", "${HOME}", "`id`", "%s%n", "<script>owned</script>", "../../etc/passwd",
    "'; DROP TABLE owned; --", "-rf", "\u115f\u3164", "\ufff9x\ufffb", "\ue000",
)  # fmt: skip
CORPUS = (*ESCAPES, *MARKUP, *BIDI, *NAUGHTY)
TEXT = "\n".join(f"{number} a{text}z" for number, text in enumerate(CORPUS))
# What the interface itself never sends.
NEVER = (
    *(
        b"\x1bP",
        b"\x1b_",
        b"\x1b^",
        b"\x1bX",
        b"\x1bc",
        b"\x1b[6n",
        b"\x1b[5i",
        b"\x1b[8;1;1t",
        b"\x1b[38;5;201;9",
        b"\x1b[3J",
    ),
    *(b"\x1b#8", b"\x1b(0", b"\x0e", b"\x0f", b"\x05", b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x90"),
    *(
        character.encode()
        for character in (*BIDI, "\ufeff", "\u200b", "\u2028", "\u2029", "\U000e0001", "\u115f", "\u3164")
    ),
)


def fill(program: Program) -> None:
    """Put the texts into names, a file and a commit's subject and author."""
    for number, text in enumerate(CORPUS):
        name = f"{number} {text}".replace("/", "_").encode("utf-8")[:200]
        (program.repository / os.fsdecode(name)).write_text("x\n", encoding="utf-8")
    (program.repository / "evil.txt").write_text(TEXT, encoding="utf-8")
    subject = " ".join(CORPUS)
    for arguments in (
        ["add", "-A"],
        ["-c", "user.name=a\u202eb\x1b]0;owned\x07", "-c", "user.email=a@b", "commit", "-q", "-m", subject],
    ):
        subprocess.run(["git", "-C", program.repository, *arguments], check=True, env=program.environment)


def assert_drawn(raw: bytes) -> None:
    assert b"owned" in raw  # as text
    assert b"[red]" in raw
    for steering in NEVER:
        assert steering not in raw, steering
    for sequence in re.findall(rb"\x1b\](.*?)(?:\x07|\x1b\\)", raw, re.DOTALL):
        assert b"owned" not in sequence, sequence
        assert re.match(rb"(?:0|2|22|9|52);", sequence), raw[
            max(raw.index(sequence) - 200, 0) : raw.index(sequence) + 40
        ]
    assert raw.count(b"\x1b[?1049l") == 1


def test_in_the_conversation_and_the_draft(tmp_path: Path, model_server: ModelServerFactory) -> None:
    calls = [
        ("write_file", {"path": "more.txt", "content": TEXT}),
        ("list_files", {}),
        ("read_file", {"path": "evil.txt"}),
    ]
    program = program_with(
        tmp_path, model_server, reply(TEXT, reasoning=TEXT, calls=calls), reply(TEXT), reply("Over.")
    )
    fill(program)
    with Terminal(program, "-m", "kcode", TEXT.replace("\x1b", "^")) as terminal:
        terminal.read_until(b"price unknown")
        terminal.type(b"\x0f\x14")
        for key in (b"\x1b[5~",) * 12:
            terminal.type(key)
        terminal.type(b"!cat evil.txt; ls\r")
        terminal.type(b"/diff\r")
        terminal.type(b"\x1bOQ")
        terminal.read_until(b"decided 0 of")
        terminal.type(b"w\x1b[6~\x1b[6~")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
    assert_drawn(terminal.raw)


def test_in_the_review_of_a_commit(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with(tmp_path, model_server)
    fill(program)
    with Terminal(program, "-m", "kcode", "review", "HEAD") as terminal:
        terminal.read_until(b"decided 0 of", b" comment")
        for _ in CORPUS:
            terminal.type(b"J")
        terminal.type(b"w")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
    assert_drawn(terminal.raw)
