"""What the review screen stands on: the pending proposal of a session, or a patch from elsewhere."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from kcode.agent.reviewing import HunkFacts
    from kcode.draft.files import Proposal
    from kcode.draft.operations import Operation
    from kcode.draft.reversal import Reversal
    from kcode.draft.review import Review, Reviewed
    from kcode.draft.versions import Version
    from kcode.session.steps import Step
    from kcode.tui.backgroundtests import BackgroundTests


class Source(Enum):
    """Where what is reviewed comes from, which says what deciding means."""

    PROPOSAL = "proposal"
    """A draft's: what is accepted is written, what is rejected leaves the draft."""
    PATCH = "patch"
    """Not in the user's files: what is accepted is written, what is rejected is not."""
    PRESENT = "present"
    """In the files or in git already: decisions are marks and nothing is written."""
    EXCERPT = "excerpt"
    """A patch for other files than those that are here: as PRESENT, and what stands between the hunks is not known."""

    @property
    def is_written(self) -> bool:
        """Whether what is accepted can be written."""
        return self in {Source.PROPOSAL, Source.PATCH}


class ReviewDesk(Protocol):
    """A proposal under review. Every method but `source` and `title` may touch the disk, and may be called in any thread.

    Errors are KcodeErrors, as those of PendingReview.
    """

    @property
    def source(self) -> Source: ...

    @property
    def title(self) -> str:
        """What is reviewed, for people; "" for the pending proposal."""

    def look(self, *, anew: bool = False) -> Reviewed: ...

    def act(self, make: Callable[[Review], Review]) -> Reviewed:
        """Do something to the review and keep it; the proposal after that."""

    def acts(self) -> int:
        """How many acts can be undone."""

    def facts(self, view: Reviewed, path: str) -> list[HunkFacts]: ...

    def steps(self, facts: HunkFacts) -> Sequence[tuple[Version, Step | None]]: ...

    def tested(self, view: Reviewed, keys: Collection[str]) -> bool | None:
        """Whether the tests passed with just these hunks; None where that is not known."""

    def carry_out(self, *, apply: Collection[str], reject: Collection[str], allowed: Collection[str]) -> Proposal: ...

    def plan(self, kind: Literal["undo", "redo"]) -> Reversal: ...

    def reverse(self, reversal: Reversal, allowed: Collection[str]) -> Operation: ...

    def tests(self, keys: Collection[str], on_output: Callable[[str], None]) -> BackgroundTests:
        """A run of the tests over the workspace plus these hunks, not yet started."""

    def is_confined(self) -> bool:
        """Whether tests run in a sandbox; finding that out may take a moment."""

    def edit_outside(self, path: str, data: bytes) -> bytes | None:
        """What the user makes of the text in their own editor; None when that failed. The terminal must be free."""
