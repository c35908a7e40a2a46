"""What stands within a block of Markdown: emphasis, code, links; read by markdown-it, made safe to show."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from kcode.sanitize import sanitize_line
from kcode.tui.lines import Line, Role, Span, expand_tabs
from kcode.tui.rows import merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKED = re.compile(r"[*_`\[<&\\!~\n]|://")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}]")
_ROLES = {"strong_open": Role.STRONG, "em_open": Role.EMPHASIS, "s_open": Role.STRUCK, "link_open": Role.LINK}
_CLICKABLE = ("https://", "http://", "mailto:")


def inline(text: str, role: Role = Role.TEXT) -> Line:
    """The text with its marks turned into looks; a line break in it is a blank."""
    if not text:
        return ()
    if not _MARKED.search(text):
        return (Span(expand_tabs(text), role),)
    children = _parser().parseInline(text)[0].children or []
    return merged(_spans(children, role))


def _spans(tokens: list[Token], base: Role) -> Iterator[Span]:
    roles = [base]
    said, address = "", ""
    for token in tokens:
        if token.type.endswith("_open"):
            roles.append(_ROLES[token.type] if base is not Role.HEADING or token.type == "link_open" else base)
            if token.type == "link_open":
                said, address = "", sanitize_line(str(token.attrs.get("href", "")))
        elif token.type == "link_close":
            roles.pop()
            # What a link hides behind its words is shown.
            if address and said.rstrip("/") not in {address.rstrip("/"), address.removeprefix("mailto:")}:
                yield Span(" (", Role.DIM)
                yield Span(address, Role.DIM, action=_action(address))
                yield Span(")", Role.DIM)
            address = ""
        elif token.type.endswith("_close"):
            roles.pop()
        else:
            for span in _leaf(token, roles[-1]):
                said += span.text
                yield span._replace(action=_action(address)) if address else span


def _leaf(token: Token, role: Role) -> Iterator[Span]:
    match token.type:
        case "softbreak" | "hardbreak":
            yield Span("\n" if token.type == "hardbreak" else " ", role)
        case "code_inline":
            yield Span(sanitize_line(token.content), Role.CODE)
        case "image":
            source = sanitize_line(str(token.attrs.get("src", "")))
            yield Span(f"{sanitize_line(token.content) or 'image'} ({source})", Role.LINK, action=_action(source))
        case _:
            yield from _with_addresses(sanitize_line(token.content), role)


def _with_addresses(text: str, role: Role) -> Iterator[Span]:
    at = 0
    for found in _ADDRESS.finditer(text) if "://" in text and role is not Role.LINK else ():
        yield Span(text[at : found.start()], role)
        yield Span(found.group(), Role.LINK, action=_action(found.group()))
        at = found.end()
    yield Span(text[at:], role)


def _action(address: str) -> str:
    """What a click on the address runs; nothing where it leads to no page."""
    return f"follow({address!r})" if address.startswith(_CLICKABLE) else ""


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - after the first paint

    return MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
