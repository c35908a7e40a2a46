"""`kcode -c`, `-r`, `kcode sessions` and `kcode export`."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from kcode.agent.sessions import choose_session, list_sessions
from kcode.cli import run
from kcode.errors import SessionError, UsageError
from kcode.headless.sessions import export_session, name_session, print_fork, print_sessions
from kcode.options import OutputOptions
from tests.agent.sittings import KEY, Sittings, begin_sittings, edit
from tests.model_server import reply
from tests.program import KEY as PROGRAM_KEY
from tests.program import RIGHT, key_leaks, make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


@pytest.fixture
def two(sittings: Sittings) -> tuple[str, str]:
    """The ids of two sessions; the second one, about b, was used last."""
    with sittings.sit() as first:
        first.say("Change the number in a", edit(0, "a.py", "one = 1", "one = 11"))
    with sittings.sit() as second:
        second.say("What is b for?")
    return first.id, second.id


def test_a_conversation_goes_on_in_later_runs(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server(
        [
            reply(calls=[RIGHT], reasoning="I round."),
            reply("Rounded."),
            reply("It is tested."),
            reply("And told."),
        ]
    )
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    assert program.run("round it properly").returncode == 0
    going_on = program.run("-c", "and test it")
    assert going_on.returncode == 0
    assert b"Rounded." in going_on.stderr
    assert b"1 file is pending" in going_on.stderr
    by_words = program.run("--resume", "round properly", "tell me all")
    assert by_words.returncode == 0
    messages = [request.json["messages"] for request in server.requests]
    assert messages[2][: len(messages[1])] == messages[1]
    assert messages[3][: len(messages[2])] == messages[2]
    assert [
        one["content"] for one in messages[3] if one["role"] == "user" and "Note from kcode" not in one["content"]
    ] == [
        "round it properly",
        "and test it",
        "tell me all",
    ]
    for one, other in pairwise(server.requests[1:]):
        # But for the end of the list of messages, and what follows it, all of a request begins the next one.
        assert other.body.startswith(one.body[: one.body.rindex(b"]")])
    assert b"round(amount, 2)" in program.run("diff").stdout
    exported = program.run("export", "-o", "session.html")
    assert exported.returncode == 0
    page = (program.repository / "session.html").read_text()
    assert page.count('<section class="user">') == 3
    assert key_leaks(program, exported.stdout, page.encode()) == []
    assert PROGRAM_KEY not in page


def test_the_list_shows_what_was_used_last_first(
    sittings: Sittings, two: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert print_sessions(sittings.options, (), json=False) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [re.sub(r" +", " ", line) for line in lines] == [
        f"{two[1]} just now 1 turn $0.0100 What is b for?",
        f"{two[0]} just now 1 turn $0.0200 1 file pending Change the number in a",
    ]
    with sittings.sit(two[0]) as again:
        again.say("more")
        print_sessions(sittings.options, ("NUMBER",), json=False)
        assert "open  Change the number" in capfd.readouterr().out
    print_sessions(sittings.options, ("NUMBER",), json=False)
    assert capfd.readouterr().out.startswith(two[0])
    assert print_sessions(sittings.options, ("nothing", "like", "it"), json=False) == 3


def test_the_list_as_json(sittings: Sittings, two: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert print_sessions(sittings.options, (), json=True) == 0
    second, first, end = map(json.loads, capfd.readouterr().out.splitlines())
    assert (first["id"], second["id"]) == two
    assert end == {"type": "sessions.completed", "count": 2}
    assert {name: first[name] for name in ("type", "title", "turns", "pending_files", "cost_usd", "command")} == {
        "type": "session", "title": "Change the number in a", "turns": 1, "pending_files": 1, "cost_usd": 0.02,
        "command": "chat",
    }  # fmt: skip


def test_a_name_is_shown_and_found(sittings: Sittings, two: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert name_session(sittings.options, two[0], "Rounding \x1b[31m up") == 0
    print_sessions(sittings.options, ("rounding",), json=False)
    assert "Rounding ␛[31m up" in capfd.readouterr().out
    assert choose_session(sittings.place, "up rounding").id == two[0]


def test_a_session_is_chosen_by_id_title_or_words(sittings: Sittings, two: tuple[str, str]) -> None:
    first, second = two
    assert choose_session(sittings.place).id == second
    assert choose_session(sittings.place, first).id == first
    assert choose_session(sittings.place, "the NUMBER").id == first
    shared = first[: len([1 for one, other in zip(first, second, strict=True) if one == other])]
    with pytest.raises(SessionError, match=r"may be 2 sessions.*\n- .*What is b for"):
        choose_session(sittings.place, shared[:8])
    with pytest.raises(SessionError, match="kcode sessions lists"):
        choose_session(sittings.place, "nonsense")


def test_without_a_session_there_is_none_to_go_on_with(sittings: Sittings, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SessionError, match="no session here to go on with"):
        choose_session(sittings.place)
    assert print_sessions(sittings.options, (), json=False) == 3
    assert "There is no session here." in capfd.readouterr().err


def test_a_fork_tells_its_id_on_stdout(
    sittings: Sittings, two: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert print_fork(sittings.options, "number", 1) == 0
    captured = capfd.readouterr()
    fork = captured.out.strip()
    assert f"kcode -r {fork}" in captured.err
    assert fork not in two
    with sittings.sit(fork) as forked:
        assert forked.drafted() == {}
    assert len(list_sessions(sittings.place)) == 2  # nothing is said in the fork yet
    assert choose_session(sittings.place, fork).id == fork


@pytest.mark.parametrize(
    ("name", "form", "start"),
    [
        (None, None, "# Change the number in a\n"),
        ("out.md", None, "# Change the number in a\n"),
        ("out.html", None, "<!doctype html>"),
        ("out.json", None, "{\n"),
        ("out.txt", "html", "<!doctype html>"),
        (None, "json", "{\n"),
    ],
)
def test_an_export_goes_where_and_has_the_form_that_is_wanted(
    sittings: Sittings,
    two: tuple[str, str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    name: str | None,
    form: str | None,
    start: str,
) -> None:
    file = tmp_path / name if name else None
    assert export_session(sittings.options, two[0], form, OutputOptions(file=file)) == 0
    out = capfd.readouterr().out
    text = file.read_text() if file else out
    assert text.startswith(start)
    assert (out == "") == (file is not None)
    for part in ("I think of step 0.", "one = 11", "diff --git a/a.py b/a.py"):
        assert part in text
    assert KEY not in text


def test_an_unknown_form_is_a_usage_error(sittings: Sittings, two: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="md, json or html"):
        export_session(sittings.options, two[0], "pdf", OutputOptions())


@pytest.mark.parametrize(
    "words",
    [
        ["sessions", "rename", "x"],
        ["sessions", "fork"],
        ["sessions", "parser", "--at", "3"],
        ["chat", "-c", "-r", "x"],
    ],
)
def test_what_does_not_go_together_is_a_usage_error(sittings: Sittings, words: list[str]) -> None:
    assert run([*words, "-C", str(sittings.root)]) == 2
