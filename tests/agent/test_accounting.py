from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.accounting import LAYERS, Ledger, account_for, count_layers, replay, split_system
from kcode.agent.conversation import Conversation
from kcode.agent.length import RequestLength
from kcode.agent.tally import Tally
from kcode.agent.turn import run_turn
from kcode.events import ContextCompacted, ReplyDiscarded, ReplyFinished, TextStreamed
from kcode.messages import (
    KCODE_NOTE,
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from kcode.pricing import Billing, Price
from kcode.session.records import Paid
from kcode.session.store import Past, SessionLog, create_session, load_conversation, load_past
from tests.agent.work import Worker, desk_of

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.agent.accounting import Account

TOOLS = '[{"type":"function","function":{"name":"read"}}]'
INSTRUCTIONS = (
    "# Instructions for this project (a later one wins over an earlier one)\n\n## From AGENTS.md\n\nBe good.\n"
)
ENVIRONMENT = "# Environment (a snapshot)\n\n- Workspace: /w\n"
REPOSITORY = "# The repository (a snapshot from the start)\n\n# Environment\n\n# Instructions for this project\n"
SYSTEM = SystemMessage(f"You are Kimi.\n\n# How to work\n\nLook first.\n\n{INSTRUCTIONS}\n{ENVIRONMENT}\n{REPOSITORY}")
CALL = ToolCall("functions.read:0", "read", '{"path": "a.py"}')
SAID: list[Message] = [
    SYSTEM,
    UserMessage("Fix it."),
    UserMessage(f"{KCODE_NOTE} your last reply was empty."),
    AssistantMessage("Let me see.", "I look at a.", (CALL,)),
    ToolMessage(CALL.id, CALL.name, "def a(): pass\n" * 50),
]
BILLING = Billing(Price(0.6, 2.5, 0.15))


def account_of(conversation: Conversation, ledger: Ledger, billing: Billing = BILLING) -> Account:
    return account_for(conversation, ledger, model="k2", window=262_144, billing=billing, tools=TOOLS, count=None)


def test_without_layers_the_account_is_the_same() -> None:
    conversation = Conversation(SAID)
    brief = account_for(
        conversation, Ledger(), model="k2", window=262_144, billing=BILLING, tools=TOOLS, by_layers=False
    )
    assert brief == replace(account_of(conversation, Ledger()), layers=())


def test_every_part_of_a_request_is_in_the_layer_that_it_belongs_to() -> None:
    assert count_layers(SAID, TOOLS, len) == {
        "system prompt": SYSTEM.text.index("# Instructions for"),
        "tools": len(TOOLS),
        "instructions": len(INSTRUCTIONS) + 1,
        "environment": len(ENVIRONMENT) + 1,
        "repository": len(REPOSITORY),
        "your messages": len("Fix it."),
        "kcode's notes": len(SAID[2].text),
        "reasoning": len("I look at a."),
        "text": len("Let me see."),
        "tool calls": len("read") + len(CALL.arguments),
        "tool results": len("read") + len(SAID[4].text),
    }


@given(
    st.lists(st.sampled_from([INSTRUCTIONS, ENVIRONMENT, "You are Kimi.\n", "# Environment\n", "words "]), max_size=8)
)
def test_the_parts_of_a_system_message_are_the_whole_of_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert "".join(part for _, part in split_system(text)) == text
    assert {name for name, _ in split_system(text)} <= set(LAYERS)


def test_instructions_that_speak_of_an_environment_stay_instructions() -> None:
    text = f"You are Kimi.\n{INSTRUCTIONS}# Environment variables\n\nSet none.\n{ENVIRONMENT}"
    assert split_system(text)[1:] == [
        ("instructions", f"{INSTRUCTIONS}# Environment variables\n\nSet none.\n"),
        ("environment", ENVIRONMENT),
    ]


def test_what_is_estimated_adds_up_to_the_length_of_the_request() -> None:
    conversation = Conversation(SAID[:3], length=RequestLength(TOOLS))
    account = account_of(conversation, Ledger())
    assert sum(layer.tokens for layer in account.layers) == pytest.approx(account.tokens, abs=len(LAYERS))
    assert not account.is_exact
    assert not any(layer.is_exact for layer in account.layers)
    assert account.last is None
    assert account.next.cached == 0
    assert account.next.cost == pytest.approx(account.tokens * 0.6 / 1e6)
    assert (account.soft, account.hard) == (131_072, 183_500)


def test_what_the_endpoint_counted_is_exact_and_expected_in_its_cache() -> None:
    conversation = Conversation(SAID[:3], length=RequestLength(TOOLS))
    usage = Usage(5000, 40, 4864, 0.001)
    with conversation.hear(AssistantMessage("Done.", "Yes."), usage):
        pass
    account = account_of(conversation, Ledger().with_event(ReplyFinished(AssistantMessage("Done."), usage)))
    assert (account.tokens, account.is_exact, account.last) == (5040, True, usage)
    assert (account.next.cached, account.next.fresh) == (4864, 176)
    assert account.next.cost == pytest.approx((4864 * 0.15 + 176 * 0.6) / 1e6)
    assert account_of(conversation, Ledger(), Billing()).next.cost is None


def test_where_the_vocabulary_is_at_hand_all_is_counted_by_it() -> None:
    conversation = Conversation(SAID, length=RequestLength(TOOLS, lambda: len))
    account = account_for(conversation, Ledger(), model="k2", window=262_144, billing=BILLING, tools=TOOLS, count=len)
    assert account.is_exact
    assert {layer.name: layer.tokens for layer in account.layers} == count_layers(SAID, TOOLS, len)
    assert account.tokens >= sum(layer.tokens for layer in account.layers)


def test_of_an_endpoint_that_never_had_anything_in_its_cache_nothing_is_expected() -> None:
    conversation = Conversation(SAID[:3], length=RequestLength(TOOLS))
    with conversation.hear(AssistantMessage("Done."), Usage(5000, 40)):
        pass
    ledger = Ledger()
    for _ in range(3):
        ledger = ledger.with_event(ReplyFinished(AssistantMessage("x"), Usage(5000, 40, 0, 0.01)))
    assert account_of(conversation, ledger).next.cached == 0


def test_the_ledger_tells_replies_from_notes_and_keeps_the_last_call() -> None:
    ledger = Ledger()
    note = Usage(9000, 700, 8960, 0.004, 0)
    for event in (
        ReplyFinished(AssistantMessage("x"), Usage(100, 10, 0, 0.01, 0)),
        TextStreamed("x"),
        ReplyDiscarded("empty", Usage(200, 1, 0, 0.02, 0)),
        ContextCompacted(9000, 800, "it was long", note, "t"),
    ):
        ledger = ledger.with_event(event)
    assert (ledger.compactions, ledger.last, ledger.saw_a_cache) == (1, note, True)
    assert ledger.spent == Tally(2, Usage(9300, 711, 8960, 0.01 + 0.02 + 0.004, 0))


def test_a_log_gives_the_same_conversation_length_and_ledger_as_the_run_that_wrote_it(tmp_path: Path) -> None:
    session = create_session(
        tmp_path / "state", tmp_path, datetime(2026, 11, 27, tzinfo=UTC), version="0", command="fix", model="k2", endpoint="moonshot"
    )  # fmt: skip
    ledger = Ledger()

    async def go(live: Conversation, log: SessionLog) -> None:
        nonlocal ledger
        desk = replace(desk_of(Worker(steps=40, window=40_000)), conversation=live)
        async for event in run_turn(desk, "Read all of it."):
            ledger = ledger.with_event(event)
            log.append_event(event)

    with SessionLog(session) as log:
        live = Conversation([], log.append_message, RequestLength(TOOLS), log.append_epoch)
        live.append(SYSTEM)
        asyncio.run(go(live, log))
    assert ledger.compactions >= 2
    past = load_past(session)
    assert (past.command, past.model, past.endpoint) == ("fix", "k2", "moonshot")
    conversation, found = replay(past, TOOLS, None)
    assert list(conversation.messages) == list(live.messages) == load_conversation(session)
    assert (conversation.tokens(), conversation.known_tokens) == (live.tokens(), live.known_tokens)
    assert found == ledger


def test_a_long_session_is_measured_by_its_last_replies_alone() -> None:
    entries: list[Message | Paid] = []
    for number in range(150):
        entries += [UserMessage("go on"), AssistantMessage("Yes."), Paid(Usage(100 + number * 20, 5), "reply")]
    conversation, ledger = replay(Past("chat", "m", "e", tuple(entries)), TOOLS, None)
    assert conversation.known_tokens == 100 + 149 * 20 + 5
    assert conversation.tokens() == conversation.known_tokens
    assert ledger.spent.steps == 150
