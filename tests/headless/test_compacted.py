"""A run that outgrows the window, as its user sees it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from kcode.agent.conversation import CUT_OFF
from kcode.messages import AssistantMessage, ToolMessage, UserMessage
from kcode.session.store import list_sessions, load_conversation
from tests.model_server import reply
from tests.program import RIGHT, make_program
from tests.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

LONG = "".join(f"def function_{number}(value):\n    return value * {number}\n\n\n" for number in range(400))
READ = reply(calls=[("read_file", {"path": "long.py", "start": 1 + 100 * part}) for part in range(3)])
NOTE = reply("I read long.py and rounded in calc/money.py; `make check` is still to be run.")
USAGE = {"prompt_tokens": 11_000, "completion_tokens": 200, "cached_tokens": 10_752}


@pytest.mark.parametrize("form", ["--json", "--patch"])
def test_a_run_beyond_the_window_goes_on_from_a_note_and_says_so(
    tmp_path: Path, model_server: ModelServerFactory, form: str
) -> None:
    transcript = reply(calls=[("read_file", {"path": "/tmp/kcode-output/transcript-1.txt"})])
    server = model_server(
        [
            reply(calls=[RIGHT]),
            *[READ] * 3,
            NOTE | {"usage": USAGE},
            transcript,
            reply("It is done."),
        ]
    )
    files = {
        "calc/__init__.py": "",
        "calc/money.py": "def cents(x):\n    return int(amount * 100) / 100\n",
        "long.py": LONG,
    }
    program = make_program(tmp_path, files, {"KCODE_BASE_URL": server.url, "KCODE_WINDOW": "24000"})
    done = program.run("fix", "Make cents round.", form)
    assert done.returncode == 0, done.stderr
    (session,) = list_sessions(program.home / ".local/state/kcode", program.repository)
    messages = load_conversation(session)
    assert [type(message) for message in messages[1:]] == [
        UserMessage,
        UserMessage,
        AssistantMessage,
        ToolMessage,
        AssistantMessage,
    ]
    note = messages[2]
    assert "Make cents round." in messages[1].text
    for piece in ("I read long.py", "calc/money.py | +1 -1", "def cents(x):"):
        assert piece in note.text
    assert "function_7" in messages[4].text  # the transcript, as the model reads it
    if form == "--patch":
        assert b"Compacting the conversation, since it filled 7" in done.stderr
        assert b"Compacted: about 1" in done.stderr
        return
    (told,) = [line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "context.compacted"]
    assert told["after_tokens"] < told["before_tokens"] // 2
    assert told["usage"]["cached_input_tokens"] == 10_752
    assert told["transcript"] == "/tmp/kcode-output/transcript-1.txt"


def test_in_a_conversation_the_user_sees_what_fills_the_window_and_may_have_it_compacted(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    read = reply(calls=[("read_file", {"path": "long.py"}), ("read_file", {"path": "long.py", "start": 200})])
    server = model_server([read, reply("It multiplies."), NOTE, reply("Never.", stall=60)])
    more = {"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"}
    program = make_program(tmp_path, {"long.py": LONG}, more)
    screen = Screen(program, "what does it do?", "--plain")
    screen.wait_for("\n> ")
    for typed, shown in (
        ("/context", "tool results "),
        ("/compact the number 7", "Compacted: about "),
        ("/compact", "The model has said nothing since the last time."),
        ("/context", "kcode's notes "),
    ):
        screen.type(f"{typed}\n")
        screen.wait_for(shown)
        screen.wait_for("\n> ")
    screen.type("and function_7?\n")
    screen.wait_for("Never.")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("Interrupted")
    screen.wait_for("\n> ")
    screen.type("/quit\n")
    assert screen.end() == 0
    assert "keep above all: the number 7" in server.requests[2].json["messages"][-1]["content"]
    roles = [message["role"] for message in server.requests[3].json["messages"]]
    assert roles == ["system", "user", "user", "user"]
    (session,) = list_sessions(program.home / ".local/state/kcode", program.repository)
    conversation = [message.text for message in load_conversation(session)]
    assert conversation[1::2] == ["what does it do?", "and function_7?", CUT_OFF]
    assert conversation[4] == "Never."
