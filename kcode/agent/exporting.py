"""A session as a document: Markdown, a page of HTML or JSON, with what it still proposes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from kcode.agent.workbench import settings_for
from kcode.draft.draft import open_draft
from kcode.draft.patch import render_patch
from kcode.draft.pending import Pending
from kcode.errors import DraftError, UsageError
from kcode.options import ModelOptions
from kcode.providers.choice import known_endpoints
from kcode.providers.keys import known_keys
from kcode.safegit import open_git
from kcode.session.export import write_html, write_json, write_markdown
from kcode.session.history import read_history
from kcode.session.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.agent.place import Place
    from kcode.session.store import Session

Form = Literal["md", "html", "json"]
WRITERS = {"md": write_markdown, "html": write_html, "json": write_json}
_SUFFIXES: dict[str, Form] = {
    "": "md",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
}


def form_of(path: Path) -> Form:
    """The form that a file's name asks for. UsageError for an ending that none has."""
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"{path} cannot be written: a session becomes .md, .html or .json.")
    return _SUFFIXES[suffix]


def document_of(place: Place, session: Session, form: Form) -> tuple[str, list[str]]:
    """The whole session in this form, with no key in it, and warnings about what is not in it."""
    settings = settings_for(ModelOptions())
    keys = known_keys(known_endpoints(settings).values(), settings, os.environ)
    patch, warnings = _patch(place, session)
    return WRITERS[form](summarize(session), read_history(session), patch, keys), warnings


def write_session(place: Place, session: Session, path: Path) -> list[str]:
    """Write the session into a file of that name, which must not be there yet; warnings about what is not in it."""
    document, warnings = document_of(place, session, form_of(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(document)
    except FileExistsError:
        raise UsageError(f"{path} is there already. Name another file.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
    return warnings


def _patch(place: Place, session: Session) -> tuple[str, list[str]]:
    """What the session still proposes; "" where that is nothing or cannot be read."""
    if not session.draft_folder.is_dir():
        return "", []
    try:
        draft = open_draft(place.workspace, open_git(place.workspace, place.git_folder), session.draft_folder)
        proposal = Pending(place.workspace, draft, place.journal, session.id).proposal()
    except DraftError as error:
        return "", [str(error)]
    return render_patch(proposal, for_people=True).decode("utf-8", "replace"), []
