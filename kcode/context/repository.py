"""What the start of every request tells of a repository: all its text where that is little, else what it defines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.context.map import head_line, symbol_line
from kcode.context.secretfiles import holds_secret
from kcode.context.sources import is_named_as_source, is_written_by_hand, path_factor
from kcode.context.tokens import estimate_tokens
from kcode.errors import ToolError
from kcode.prompts import render_prompt
from kcode.sanitize import sanitize_line
from kcode.textfile import decode_text, show_unknown_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from kcode.context.corpus import Corpus

    Read = Callable[[str], bytes | None]
    SizeOf = Callable[[str], int | None]

# No text has more bytes to a token, so that what has more of them together need not be read.
_MOST_BYTES_A_TOKEN = 6
# Of fourteen repositories none had definitions of fewer tokens than its bytes divided by this.
_MOST_BYTES_A_SKELETON_TOKEN = 60


@dataclass(frozen=True, slots=True)
class RepositoryLayer:
    """The text for the start of a request, "" for none; `files` are those that it shows whole, each with its bytes."""

    text: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the text of the files stands there and not only what they define."""
        return bool(self.files)


def whole_text(
    files: Iterable[str], size_of: SizeOf, read: Read, tokens: int, own_prompts: Path | None = None
) -> RepositoryLayer | None:
    """The text of all files that people wrote, if it has at most so many tokens; else that of the source alone.

    None where that is more as well, and where there is no such file.
    """
    named = [path for path in sorted(files) if is_named_as_source(path)]
    source = [path for path in named if path_factor(path) == 1.0]
    for paths in (named, source):
        what = "This is the text of all its files that people write."
        if len(paths) < len(named):
            what = "This is the text of all its source files; tests, documents and data are not among them."
        if not _are_small(paths, size_of, tokens * _MOST_BYTES_A_TOKEN):
            continue
        shown, texts = show_whole(paths, read)
        layer = RepositoryLayer(_rendered(what, texts, own_prompts), shown)
        if shown and estimate_tokens(layer.text) <= tokens:
            return layer
    return None


def _are_small(paths: Iterable[str], size_of: SizeOf, most: int) -> bool:
    """Whether the files have at most so many bytes together; no more of them are looked at than it takes."""
    for path in paths:
        most -= size_of(path) or 0
        if most < 0:
            return False
    return True


def show_whole(paths: Iterable[str], read: Read) -> tuple[dict[str, bytes], list[str]]:
    """Those of the files that are text by people and hold no secret, with their bytes; and each as it is shown."""
    shown: dict[str, bytes] = {}
    texts: list[str] = []
    for path in paths:
        data = read(path)
        text = shown_text(path, data) if data is not None and is_written_by_hand(path, data) else None
        if data is not None and text is not None:
            shown[path] = data
            texts.append(text)
    return shown, texts


def shown_text(path: str, data: bytes) -> str | None:
    """A file as a block with its path; None for one that is not text, or that is kept back."""
    if holds_secret(path, data):
        return None
    try:
        text = show_unknown_bytes(decode_text(data).text)
    except ToolError:
        return None
    end = "" if text.endswith("\n") or not text else "\n"
    return f'<file path="{sanitize_line(path)}">\n{text}{end}</file>'


def skeleton(corpus: Corpus, tokens: int, own_prompts: Path | None = None) -> RepositoryLayer | None:
    """All definitions of all source files in the order of their paths; None where they have more tokens than that.

    So it is where a part of the repository is not indexed yet: what stands here stays for long.
    """
    if corpus.unread:
        return None
    texts: list[str] = []
    total = 0
    for place, path in enumerate(corpus.paths):
        if not corpus.lengths[place] or path_factor(path) < 1.0:
            continue
        symbols = corpus.symbols(place)
        lines = [head_line(path, bool(symbols)), *map(symbol_line, symbols)]
        texts.append("\n".join(lines))
        total += estimate_tokens(texts[-1])
        if total > tokens:
            return None
    what = "These are all definitions in its source files, each with its line."
    return RepositoryLayer(_rendered(what, texts, own_prompts)) if texts else None


def may_fit_skeleton(files: Iterable[str], size_of: SizeOf, tokens: int) -> bool:
    """Whether the definitions of the source among the files may have so few tokens, by its size alone."""
    source = (path for path in files if is_named_as_source(path) and path_factor(path) == 1.0)
    return _are_small(source, size_of, tokens * _MOST_BYTES_A_SKELETON_TOKEN)


def _rendered(what: str, texts: Sequence[str], own_prompts: Path | None) -> str:
    return render_prompt("repository", own_prompts, what=what, files="\n".join(texts))
