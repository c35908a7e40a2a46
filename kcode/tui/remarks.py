"""What is told in a line of its own: tries that failed, compactions, and what else is worth a remark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.events import (
    CompactionStarted,
    ContextCompacted,
    HunksDecided,
    KeyEntered,
    ModelChosen,
    ModelNudged,
    ReplyDiscarded,
    RetryScheduled,
    RetryWaiting,
    TestsFinished,
    TurnEnd,
    TurnRedone,
    TurnUndone,
    UserWarned,
)
from kcode.sanitize import sanitize_names
from kcode.tui.blocks import NoticeBlock, NoticeKind
from kcode.tui.blocks.testruns import report_lines, verdict_of
from kcode.tui.lines import plain
from kcode.tui.takenback import TakenBack

if TYPE_CHECKING:
    from kcode.events import Event
    from kcode.tui.stack import Stack
    from kcode.tui.texts import Texts


class Remarks:
    """Puts notices on the stack; one that counts down, or tells of something that goes on, changes in its place."""

    def __init__(self, stack: Stack, texts: Texts) -> None:
        self._stack = stack
        self._taken_back = TakenBack(stack)
        self._texts = texts
        self._retry: NoticeBlock | None = None
        self._retry_reason = ""
        self._compaction: NoticeBlock | None = None

    def take(self, event: Event) -> None:
        texts = self._texts
        match event:
            case ReplyDiscarded(reason):
                self._say(texts("transcript.discarded", reason=reason), NoticeKind.WARNING)
            case RetryScheduled(reason, seconds):
                self._retry_reason = reason
                self._count_down(round(seconds), event.attempt, event.attempts)
            case RetryWaiting(left, attempt, attempts):
                self._count_down(left, attempt, attempts)
            case UserWarned(text):
                self._say(text, NoticeKind.WARNING)
            case ModelNudged(reason):
                self._say(texts("transcript.nudged", reason=reason), NoticeKind.WARNING)
            case CompactionStarted(reason):
                self._compaction = self._say(texts("transcript.compacting", reason=reason))
            case ContextCompacted(before, after):
                told = texts("transcript.compacted", before=f"{before:,}", after=f"{after:,}")
                self._say_in_place(self._compaction or self._say(told), told)
                self._compaction = None
            case ModelChosen(model):
                self._say(texts("transcript.model_chosen", model=model))
            case KeyEntered():
                self._say(texts("transcript.key_entered"))
            case TestsFinished(report):
                shown = [verdict_of(report, texts), *report_lines(report, texts)[1:]]
                self._say("\n".join(map(plain, shown)), NoticeKind.INFO if report.ok else NoticeKind.ERROR)
            case HunksDecided(decision, paths, hunks):
                key = "applied" if decision == "applied" else "rejected"
                self._say(texts(f"transcript.{key}", count=len(hunks) or len(paths), files=sanitize_names(paths)))
            case TurnUndone(_, applied):
                self._taken_back.step_back()
                told = texts("transcript.undone")
                kept = texts("transcript.kept", files=sanitize_names(applied)) if applied else ""
                self._say(f"{told} {kept}".rstrip())
            case TurnRedone():
                self._taken_back.step_forth()
                self._say(texts("transcript.redone"))
            case _:
                pass

    def end_turn(self, reason: TurnEnd, text: str) -> None:
        """Say why the turn ended, where it did not just end."""
        if reason is TurnEnd.INTERRUPTED:
            self._say(self._texts("transcript.interrupted"), NoticeKind.WARNING)
        elif reason is not TurnEnd.DONE:
            said = text.strip() or self._texts("transcript.stopped", reason=reason.value.replace("_", " "))
            self._say(said, NoticeKind.WARNING)

    def end_retry(self) -> None:
        """A reply comes in, or nobody tries any more."""
        if self._retry is not None:
            told = self._texts("transcript.retried", reason=self._retry_reason)
            self._say_in_place(self._retry, told, NoticeKind.INFO)
            self._retry = None

    def stop(self) -> None:
        """What went on goes on no longer."""
        self._retry = self._compaction = None

    def _count_down(self, left: int, attempt: int, attempts: int) -> None:
        key = "transcript.retry_in" if left else "transcript.retry_now"
        told = self._texts(key, reason=self._retry_reason, seconds=left, attempt=attempt + 1, attempts=attempts)
        if self._retry is None:
            self._retry = self._say(told, NoticeKind.WARNING)
        else:
            self._say_in_place(self._retry, told)

    def _say(self, text: str, kind: NoticeKind = NoticeKind.INFO) -> NoticeBlock:
        return self._stack.add_notice(text, kind)

    def _say_in_place(self, block: NoticeBlock, text: str, kind: NoticeKind | None = None) -> None:
        block.say(text, kind)
        self._stack.mark_changed(block)
