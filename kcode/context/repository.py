"""What the start of every request tells of a repository: all its text where that is little, else what it defines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.context.secretfiles import holds_secret
from kcode.context.sources import is_named_as_source, is_written_by_hand, path_factor
from kcode.context.statements import STATEMENTS
from kcode.context.tokens import estimate_tokens
from kcode.errors import ToolError
from kcode.globs import compile_glob
from kcode.prompts import render_prompt
from kcode.sanitize import sanitize_line, sanitize_names
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
# What the names of files take for which there is no room.
_LEFT_OUT_NOTE = 600


@dataclass(frozen=True, slots=True)
class RepositoryLayer:
    """The text for the start of a request, "" for none; `files` are those that it shows whole, each with its bytes.

    `is_whole` says that no source file is missing among these; `left_out` are those for which there was no room.
    """

    text: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    is_whole: bool = False
    left_out: tuple[str, ...] = ()


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
        blocks = _blocks(paths, read)
        shown = {path: data for path, (data, _) in blocks.items()}
        text = _rendered(what, [text for _, text in blocks.values()], own_prompts)
        layer = RepositoryLayer(text, shown, is_whole=True)
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


def _blocks(paths: Iterable[str], read: Read) -> dict[str, tuple[bytes, str]]:
    """Those of the files that are text by people and hold no secret: their bytes, and each as it is shown."""
    found: dict[str, tuple[bytes, str]] = {}
    for path in paths:
        data = read(path)
        text = shown_text(path, data) if data is not None and is_written_by_hand(path, data) else None
        if data is not None and text is not None:
            found[path] = (data, text)
    return found


def packed_text(
    files: Iterable[str], read: Read, tokens: int, glob: str = "", own_prompts: Path | None = None
) -> RepositoryLayer:
    """The text of all files that people wrote, or of those that the pattern names, as far as so many tokens go.

    Source comes before tests, documents and data where not all has room; what is shown stands in the order of its paths.
    Raises ValueError for a pattern that cannot be read.
    """
    matcher = compile_glob(glob) if glob else None
    wanted = [path for path in sorted(files) if (matcher.fullmatch(path) if matcher else is_named_as_source(path))]
    blocks = _blocks(wanted, read)
    what = f"This is the text of its files that match {glob}." if glob else "This is the text of its files."
    left = tokens - estimate_tokens(_rendered(what, [], own_prompts)) - _LEFT_OUT_NOTE
    chosen: set[str] = set()
    for path in sorted(blocks, key=lambda path: (-path_factor(path), path)):
        size = estimate_tokens(blocks[path][1])
        if size <= left:
            chosen.add(path)
            left -= size
    left_out = tuple(path for path in blocks if path not in chosen)
    if left_out:
        what += f" There was no room for {len(left_out)} more: {sanitize_names(left_out, 20)}."
    shown = {path: data for path, (data, _) in blocks.items() if path in chosen}
    text = _rendered(what, [blocks[path][1] for path in shown], own_prompts) if shown else ""
    return RepositoryLayer(text, shown, is_whole=not glob and not left_out, left_out=left_out)


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
    from kcode.context.map import head_line, symbol_line  # noqa: PLC0415 - ranking, for nothing where all text is shown

    if corpus.unread:
        return None
    texts: list[str] = []
    total = 0
    for place, path in enumerate(corpus.paths):
        if not corpus.lengths[place] or path_factor(path) < 1.0:
            continue
        symbols = [one for one in corpus.symbols(place) if one.kind != STATEMENTS]
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
