from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.epoch import (
    begin_with,
    changed_first,
    fit_outlines,
    has_replies,
    paths_at_hand,
    split_waiting,
    users_words,
    write_outline,
)
from kcode.agent.transcript import shorten_transcript, write_transcript
from kcode.context.tokens import estimate_tokens
from kcode.messages import KCODE_NOTE, AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from kcode.tooling import Definition

SYSTEM = SystemMessage("You are Kimi.")
NUDGE = UserMessage(f"{KCODE_NOTE} your last reply was empty.")
WORDS = st.lists(st.sampled_from(["fix cents() — ✓ ", "in src/a.py ", "never touch vendor/ "]), min_size=1, max_size=60)


def reads(*paths: str) -> list[Message]:
    calls = tuple(ToolCall(str(n), "read_file", f'{{"path": "{path}"}}') for n, path in enumerate(paths))
    return [
        AssistantMessage("", "I read.", calls),
        *(ToolMessage(call.id, call.name, "text " * 2000) for call in calls),
    ]


@given(st.lists(WORDS.map("".join), max_size=6), st.integers(0, 200), st.integers(0, 400))
def test_the_users_words_stay_word_for_word_and_in_order_and_are_never_too_many(
    texts: list[str], head: int, tail: int
) -> None:
    messages: list[Message] = [SYSTEM, NUDGE]
    for text in texts:
        messages += [UserMessage(text), *reads("a.py"), NUDGE]
    kept = [message.text for message in users_words(messages, head, tail)]
    if sum(map(estimate_tokens, texts)) <= head + tail:
        assert kept == texts
        return
    gap = next(place for place, text in enumerate(kept) if text.startswith(KCODE_NOTE))
    first, last = "".join(kept[:gap]), "".join(kept[gap + 1 :])
    assert "".join(texts).startswith(first)
    assert "".join(texts).endswith(last)
    assert len(first) + len(last) <= len("".join(texts))
    assert sum(map(estimate_tokens, kept[:gap])) <= head + 1
    assert sum(map(estimate_tokens, kept[gap + 1 :])) <= tail + 1


def test_a_gap_in_the_users_words_is_still_told_of_after_the_next_compaction() -> None:
    long = [UserMessage(f"{number} " * 400) for number in range(6)]
    once = users_words(long, 300, 600)
    again = users_words([SYSTEM, *once, UserMessage(f"{KCODE_NOTE} the note"), *reads("a.py")], 300, 600)
    assert again == once
    assert any("left out" in message.text for message in again)


def test_what_no_reply_has_answered_waits_behind_the_note() -> None:
    said = [SYSTEM, UserMessage("one"), *reads("a.py"), AssistantMessage("Done.")]
    assert split_waiting([*said, UserMessage("two"), NUDGE]) == (said, [UserMessage("two"), NUDGE])
    assert split_waiting(said) == (said, [])
    epoch = begin_with(SYSTEM, [UserMessage("one")], "my note", [UserMessage("two"), NUDGE])
    assert epoch == [SYSTEM, UserMessage("one"), UserMessage(f"{KCODE_NOTE} my note"), UserMessage("two")]
    assert has_replies(said)
    assert not has_replies(epoch)


def test_the_files_at_hand_are_those_of_the_last_calls_first() -> None:
    broken = AssistantMessage("", None, (ToolCall("9", "edit_file", '{"path": '), ToolCall("8", "run", '["a"]')))
    messages = [*reads("a.py", "b.py"), *reads("a.py"), broken, *reads("c.py")]
    assert paths_at_hand(messages) == ["c.py", "a.py", "b.py"]
    assert paths_at_hand(reads("./src/../a.py", "a.py")) == ["a.py"]


def test_of_the_files_at_hand_those_that_were_changed_come_first() -> None:
    assert changed_first(["c", "a", "b"], ["a", "b", "x"]) == ["a", "b", "x", "c"]
    assert changed_first([], ["x"]) == changed_first(["x"], []) == ["x"]


def test_outlines_are_kept_whole_while_they_fit_and_of_the_next_a_part() -> None:
    small = write_outline("a.py", [Definition(1, 9, 0, "class A:"), Definition(2, 9, 1, "def f(self):")])
    assert small == "a.py:\n1-9 class A:\n2-9   def f(self):"
    large = write_outline("b.py", [Definition(n, n, 0, f"def function_{n}():") for n in range(1, 500)])
    fitted = fit_outlines([small, large, small], 300)
    assert fitted.startswith(f"{small}\n\nb.py:\n1-1 def function_1():\n")
    assert fitted.endswith("():\n…")
    assert estimate_tokens(fitted) <= 310
    assert fit_outlines([small], 0) == fit_outlines([], 100) == ""


def test_a_whole_transcript_holds_all_but_the_system_prompt() -> None:
    text = write_transcript([SYSTEM, UserMessage("one"), *reads("a.py"), AssistantMessage("Done.", "I am glad.")])
    assert SYSTEM.text not in text
    assert "text " * 2000 in text
    order = [
        "=== user\none",
        "=== assistant, thinking\nI read.",
        "=== call of read_file\n",
        "=== result of read_file\n",
    ]
    places = [text.index(part) for part in [*order, "=== assistant, thinking\nI am glad.\n=== assistant\nDone."]]
    assert places == sorted(places)


@pytest.mark.parametrize("tokens", [500, 1500, 5000, 20_000])
def test_a_shortened_transcript_fits_and_keeps_its_start_and_its_end(tokens: int) -> None:
    messages: list[Message] = [SYSTEM, UserMessage("the first words")]
    for number in range(30):
        messages += reads(f"src/part{number}.py")
    messages.append(AssistantMessage("the last words", "secret thoughts"))
    text = shorten_transcript(messages, tokens)
    assert estimate_tokens(text) <= tokens + 30
    assert text.startswith("=== user\nthe first words\n")
    assert text.endswith("the last words\n")
    assert "secret thoughts" not in text
