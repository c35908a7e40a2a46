"""What `kcode review` is about: the pending proposal, commits, or a patch, as a desk for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.agent.reviewing import open_review
from kcode.agent.workbench import settle_journal
from kcode.draft.applied import read_applied_patch
from kcode.draft.committed import changes_between
from kcode.draft.disk import read_beneath
from kcode.draft.excerpt import read_excerpt
from kcode.draft.hunks import propose
from kcode.draft.incoming import read_patch
from kcode.errors import DraftError
from kcode.safegit import open_git
from kcode.tui.patchdesk import PatchDesk
from kcode.tui.pendingdesk import PendingDesk
from kcode.tui.reviewdesk import Source

if TYPE_CHECKING:
    from kcode.agent.place import Place
    from kcode.draft.files import FileState, Proposal
    from kcode.options import PlaceOptions
    from kcode.tui.reviewdesk import ReviewDesk


def open_desk(words: str, patch: bytes | None, options: PlaceOptions) -> tuple[ReviewDesk | None, list[str]]:
    """The desk for a range or commit, for a patch, or for what is pending; None where nothing is.

    With it comes what the user should know before.
    """
    place = open_place(options)
    said = settle_journal(place)
    if patch is not None:
        return PatchDesk(lambda: read_any(patch, place), place, options, words), said
    if words:
        changes = changes_between(open_git(place.workspace, place.git_folder), words)
        return PatchDesk(lambda: (propose(changes), Source.PRESENT), place, options, words), said
    review = open_review(place)
    if review is None or not review.look().proposal:
        return None, said
    return PendingDesk(review, place, options), [*said, *([review.warning] if review.warning else [])]


def read_any(patch: bytes, place: Place) -> tuple[Proposal, Source]:
    """A patch as changes of the files that are here, before it or after it; else what it says by itself.

    DraftError for what is no patch.
    """

    def read(path: str) -> FileState | None:
        return read_beneath(place.workspace.root, path)

    for reader, source in ((read_patch, Source.PATCH), (read_applied_patch, Source.PRESENT)):
        try:
            return propose(reader(patch, read)), source
        except DraftError:
            continue
    return propose(read_excerpt(patch)), Source.EXCERPT
