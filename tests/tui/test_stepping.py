"""Taking back and bringing back from the conversation, and what it says of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.events import TurnEnd, TurnFinished, TurnRedone, TurnStarted, TurnUndone
from kcode.messages import AssistantMessage, Usage, UserMessage
from kcode.tui.feed import Feed
from kcode.tui.texts import load_texts
from tests.model_server import reply
from tests.program import MODULE, RIGHT
from tests.tui.test_conversation_keys import walk_in

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory
    from tests.tui.living import Living

NOTES = ("write_file", {"path": "notes.txt", "content": "cents() rounds\n"})


async def agree(user: Living, words: str) -> None:
    """Answer yes once this is asked and the question has the keys."""
    await user.see(words)
    await user.until(lambda: user.app.focused is not user.composer)
    await user.press("y")


async def apply_the_first(user: Living) -> None:
    await user.review("decided 0 of 2")
    await user.until(lambda: user.app.screen.check_action("accept", ()))
    await user.press("a", "enter")
    await user.see("Apply what was decided?")
    await user.press("y")
    await user.see("Applied: 1 hunk")


def test_a_turn_is_taken_back_only_once_the_user_agrees(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply(calls=[RIGHT, NOTES]), reply("Rounded.")])

    async def steps(user: Living) -> None:
        file = tmp_path / "work é 1" / "calc" / "money.py"
        await user.send("cents() rounds down")
        await user.hear("Rounded.")
        await user.rest()
        await apply_the_first(user)
        await user.press("ctrl+z")
        await user.see("Take back what was applied last?")
        await user.press("y")
        await user.see("Taken back: calc/money.py.")
        await user.until(lambda: user.app.screen.check_action("close", ()))
        await user.press("escape")
        await user.hear("What you applied in the review was taken back there.")
        assert "1 hunk applied" not in user.said
        assert file.read_text(encoding="utf-8") == MODULE
        await user.send("/undo")
        await user.see("Take back the last turn, “cents() rounds down”?", "Leave it")
        await user.until(lambda: user.app.focused is not user.composer)
        await user.press("escape")
        await user.until(lambda: user.app.focused is user.composer)
        assert "The last turn was taken back." not in user.said
        await user.send("/undo")
        await agree(user, "Take back the last turn")
        await user.hear("The last turn was taken back.")
        await user.see("(taken back)")
        assert "stays" not in user.said
        await user.send("/redo")
        await user.hear("is here again")
        await user.until(lambda: "(taken back)" not in user.text)

    walk_in(tmp_path, server, monkeypatch, steps)


def test_what_is_taken_back_says_so_where_it_stands() -> None:
    feed = Feed(load_texts("en"), lambda: 0.0)

    def turn(words: str, answer: str) -> None:
        ended = TurnFinished(TurnEnd.DONE, answer, Usage(), 0)
        feed.load([TurnStarted(words, words), UserMessage(words), AssistantMessage(answer), ended])

    def shown() -> list[bool]:
        return [
            any("(taken back)" in "".join(span.text for span in line) for line in block.lines(80))
            for block in feed.stack.blocks
            if type(block).__name__ in {"UserBlock", "AnswerBlock"}
        ]

    turn("first", "One.")
    turn("second", "Two.")
    feed.take(TurnUndone("second"))
    assert shown() == [False, False, True, True]
    feed.take(TurnUndone("first"))
    assert shown() == [True] * 4
    feed.take(TurnRedone("first"))
    assert shown() == [False, False, True, True]
    turn("third", "Three.")
    feed.take(TurnUndone("third"))
    assert shown() == [False, False, True, True, True, True]
