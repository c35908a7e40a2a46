from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.outcome import Outcome, tell_model
from kcode.events import (
    ContextCompacted,
    HunksDecided,
    ReplyFinished,
    ReplyInterrupted,
    TestsFinished,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnStarted,
    TurnUndone,
)
from kcode.messages import KCODE_NOTE, AssistantMessage, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage
from kcode.results import CommandResult, TestFailure, TestReport, ToolResult
from kcode.session.export import write_html, write_json, write_markdown
from kcode.session.summary import SessionSummary
from tests.session.test_summary import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.events import Event
    from kcode.messages import Message

SUMMARY = SessionSummary(
    "20261127-120000-0000", "Round *it*", NOW, NOW, "chat", "kimi-k2-thinking", "moonshot", 2, 9, 1, 0.25, True, ()
)
EDIT = ToolCall("functions.edit_file:0", "edit_file", '{"path": "a.py", "edits": [{"old": "one\\ntwo", "new": "1"}]}')
READ = ToolCall("functions.read_file:1", "read_file", '{"path": "b.py"}')
REPLY = AssistantMessage("I change it.", "It must be <b>rounded</b>.\nSurely.", (EDIT, READ))
TOLD = tell_model([Outcome("rejected", "a.py", "3fa2", 1, (b"one\n",), (b"1\n",), comment="no")])
HISTORY: list[Message | Event] = [
    SystemMessage("You are a test."),
    TurnStarted("Round it", "Round it"),
    UserMessage(f"{KCODE_NOTE} this is what kcode found."),
    UserMessage("Round it\n\nCarry this out."),
    REPLY,
    ReplyFinished(REPLY, Usage(10, 5), 20.0, 12.0),
    ToolMessage(EDIT.id, EDIT.name, "Edited a.py."),
    ToolCallFinished(EDIT, ToolResult("Edited a.py.", "1 edit"), 0.0),
    ToolMessage(READ.id, READ.name, "```\n</details>\n"),
    TestsFinished(TestReport("pytest", CommandResult(1, ""), 3, 1, 0, (TestFailure("test_x"),))),
    AssistantMessage("Done:\n```py\nx = 1"),
    TurnFinished(TurnEnd.DONE, "Done", Usage(), 2),
    HunksDecided("applied", ("a.py",), ("3fa2",)),
    TurnStarted("And b", "And b"),
    UserMessage(f"And b\n\n{TOLD}"),
    ContextCompacted(9000, 1000, "it was full", Usage(), "transcript-1.txt"),
    ReplyInterrupted("", "Hmm."),
    TurnFinished(TurnEnd.STEP_LIMIT, "The limit of 3 steps was reached.", Usage(), 3),
    TurnUndone("And b", ("a.py",)),
]
PATCH = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-one\n+1\n"


def test_markdown_reads_from_top_to_bottom() -> None:
    text = write_markdown(SUMMARY, HISTORY, PATCH)
    expected = [
        r"# Round \*it\*",
        "- kimi-k2-thinking at moonshot",
        "- 2 turns, ≈ $0.2500",
        "## You (1)\n\nRound it\n\n<details>\n<summary>Note from kcode to the model</summary>",
        "<details>\n<summary>Reasoning (12 s)</summary>\n\n> It must be \\<b>rounded\\</b>.\n> Surely.\n\n</details>",
        "## kcode\n\nI change it.",
        "<summary>edit_file a.py: 1 edit</summary>\n\n```diff\n@@\n-one\n-two\n+1\n```\n\n```text\nEdited a.py.\n```",
        "<summary>✗ read_file b.py: interrupted</summary>\n\n````text\n```\n</details>\n````",
        r"*The tests fail, 3 passed, 1 failed: test\_x*",
        "## kcode\n\nDone:\n```py\nx = 1\n```",
        "*Applied: a.py (3fa2)*",
        "## You (2)\n\nAnd b\n\n<details>\n<summary>What you decided</summary>",
        "*The conversation was compacted, from 9,000 to 1,000 tokens*",
        "<summary>The reply was interrupted</summary>\n\n> Hmm.",
        "*The turn ended: The limit of 3 steps was reached.*",
        "*The turn was undone; what was applied stays applied: a.py*",
        f"## What is proposed and not applied\n\n```diff\n{PATCH}```\n",
    ]
    places = [text.find(part) for part in expected]
    assert [part for part, place in zip(expected, places, strict=True) if place < 0] == []
    assert places == sorted(places)
    assert "You are a test." not in text
    assert "Carry this out." not in text
    assert text.count("<details>") == text.count("</details>") - 1  # one stands in a result


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and whether each is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


OURS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "p",
    "br",
    "section",
    "details",
    "summary",
    "pre",
    "span",
}


def test_html_is_one_page_that_loads_nothing() -> None:
    text = write_html(SUMMARY, HISTORY, PATCH)
    page = Page(text)
    assert page.open == []
    assert page.names <= OURS
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert "It must be &lt;b&gt;rounded&lt;/b&gt;." in text
    assert '<span class="del">-one</span>' in text
    assert "<p>Done:</p>\n<pre>x = 1</pre>" in text
    assert "http://" not in text.replace("http-equiv", "")


@settings(max_examples=60)
@given(
    st.text(st.sampled_from("<>/&\"'`~\n -ascriptdetlmg!?\x1b\u202e\udcff"), max_size=120),
    st.sampled_from(["user", "answer", "reasoning", "result", "title"]),
)
def test_nothing_that_was_said_becomes_markup_or_steers_a_terminal(text: str, place: str) -> None:
    history: dict[str, list[Message | Event]] = {
        "user": [UserMessage(text)],
        "answer": [AssistantMessage(text)],
        "reasoning": [AssistantMessage("x", text)],
        "result": [AssistantMessage("x", None, (READ,)), ToolMessage(READ.id, READ.name, text)],
        "title": [HunksDecided("applied", (text,), ())],
    }
    page = Page(write_html(SUMMARY, history[place], text))
    assert (page.open, page.names <= OURS) == ([], True)
    markdown = write_markdown(SUMMARY, history[place], text)
    for document in (markdown, write_html(SUMMARY, history[place])):
        document.encode()
        assert "\x1b" not in document
        assert "\u202e" not in document
    assert json.loads(write_json(SUMMARY, history[place]))["items"]


def test_json_has_every_message_and_event() -> None:
    document = json.loads(write_json(SUMMARY, HISTORY, PATCH))
    assert (document["version"], document["session"], document["cost_usd"]) == (1, SUMMARY.id, 0.25)
    assert document["proposal"] == PATCH
    kinds = [item["type"] for item in document["items"]]
    assert len(kinds) == len(HISTORY)
    assert kinds[:5] == ["message", "turn", "message", "message", "message"]
    assert document["items"][4]["reasoning"] == REPLY.reasoning
    assert kinds[-1] == "turn_undone"


@pytest.mark.parametrize("write", [write_markdown, write_html, write_json])
def test_a_key_never_gets_into_a_document(write: Callable[..., str]) -> None:
    key, other = "sk-" + "a1B2" * 10, "a_key*of_no-kind"
    call = ToolCall("c", "run_command", json.dumps({"command": f"curl -H 'Authorization: Bearer {key}'"}))
    history = [
        UserMessage(f"my key is {key}"),
        AssistantMessage(f"{key}?", f"so {key}", (call,)),
        UserMessage(f"or {other}"),
        HunksDecided("applied", (f"{other}.py",), ()),
        ToolMessage("c", "run_command", f"KEY={key}\n"),
        HunksDecided("applied", (f"{key}.py",), ()),
    ]
    text = write(replace(SUMMARY, title=other), history, f"+{key}\n+{other}\n", [other])
    assert key not in text
    assert "no-kind" not in text
    assert "[redacted]" in text
