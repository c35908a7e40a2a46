from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.tui.blocks import NoticeKind
from kcode.tui.stack import Stack
from kcode.tui.texts import load_texts
from kcode.tui.viewport import Heights, Place, Viewport

if TYPE_CHECKING:
    from kcode.tui.blocks import Block

TEXTS = load_texts()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.data())
def test_what_stands_at_a_height_is_found_whatever_changed_before(sizes: list[int], data: st.DataObject) -> None:
    heights = Heights()
    for size in sizes:
        heights.append(size)
    for _ in range(3):
        place = data.draw(st.integers(0, len(sizes) - 1))
        sizes[place] = data.draw(st.integers(0, 5))
        heights.set(place, sizes[place])
        assert heights.total == sum(sizes)
        assert [heights.start(at) for at in range(len(sizes))] == [sum(sizes[:at]) for at in range(len(sizes))]
    for y in range(sum(sizes)):
        block, row = heights.at(y)
        assert sum(sizes[:block]) + row == y
        assert 0 <= row < sizes[block]


def filled(sizes: list[int], width: int = 40, height: int = 8) -> tuple[Stack, Viewport]:
    """Answers whose heights are guessed wrong: short lines, long ones, and blank ones that show nothing."""
    stack = Stack(TEXTS)
    for number, size in enumerate(sizes):
        text = "\n".join(f"{number}.{line} " + "words " * (size % 5 * 3) for line in range(size))
        if size:
            stack.add_notice(text, NoticeKind.INFO)
        else:
            stack.add_answer()
    viewport = Viewport(stack.blocks)
    viewport.resize(width, height)
    viewport.sync(0)
    viewport.settle()
    return stack, viewport


def all_rows(viewport: Viewport, blocks: list[Block]) -> list[str]:
    return [row.text for block in blocks for row in block.rows(viewport.width)]


def seen(viewport: Viewport) -> list[str]:
    return [shown.row.text for shown in viewport.in_view()]


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.lists(st.integers(-25, 25), max_size=12))
def test_scrolling_moves_what_is_seen_by_just_as_much_though_heights_are_guessed(
    sizes: list[int], steps: list[int]
) -> None:
    stack, viewport = filled(sizes)
    rows = all_rows(viewport, list(stack.blocks))
    bottom = max(len(rows) - viewport.height, 0)
    at = bottom
    for step in steps:
        viewport.scroll_to(viewport.top + step)
        at = min(max(at + step, 0), bottom)
        expected = rows[at : at + viewport.height]
        assert seen(viewport) == expected + [""] * (viewport.height - len(expected))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=12), st.integers(0, 30))
def test_what_is_seen_stays_when_more_comes_below(sizes: list[int], up: int) -> None:
    stack, viewport = filled(sizes)
    viewport.scroll_to(viewport.top - up)
    before, followed = seen(viewport), viewport.follows
    stack.add_answer("new words")
    changed = stack.take_changed()
    assert changed is not None
    viewport.sync(changed)
    viewport.settle()
    if followed:
        assert "new words" in seen(viewport)
    else:
        assert seen(viewport) == before


@settings(max_examples=40)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=12), st.integers(0, 40), st.integers(10, 60))
def test_another_width_keeps_what_begins_in_view_where_it_is(sizes: list[int], up: int, width: int) -> None:
    _, viewport = filled(sizes)
    viewport.scroll_to(viewport.top - up)
    begins = next(((y, shown.block) for y, shown in enumerate(viewport.in_view()) if shown.number == 0), None)
    follows = viewport.follows
    viewport.resize(width, viewport.height)
    at_an_edge = viewport.top in {0, viewport.total - viewport.height}
    if begins is not None and not follows and not at_an_edge:
        y, block = begins
        assert (viewport.in_view()[y].block, viewport.in_view()[y].number) == (block, 0)


def test_only_what_is_seen_is_laid_out() -> None:
    stack, viewport = filled([3] * 400)
    assert sum(block._laid_out is not None for block in stack.blocks) < 10
    viewport.scroll_to(0)
    assert seen(viewport)[0].startswith("0.0")
    assert sum(block._laid_out is not None for block in stack.blocks) < 20


def test_a_place_is_brought_into_view() -> None:
    _, viewport = filled([4] * 50)
    viewport.show(Place(10, 0), at=2)
    assert seen(viewport)[2].startswith("10.0")


@given(st.lists(st.integers(0, 6), min_size=4, max_size=20), st.integers(1, 3))
def test_a_view_that_grows_down_to_the_end_stays_at_the_end(sizes: list[int], more: int) -> None:
    stack, viewport = filled(sizes)
    top = viewport.top
    # A scrolling widget that grows is told to scroll back before it is told of its new size.
    viewport.scroll_to(max(top - more, 0))
    viewport.resize(40, 8 + more)
    stack.add_notice("another", NoticeKind.INFO)
    viewport.sync(stack.take_changed() or 0)
    viewport.settle()
    assert viewport.top == max(viewport.total - viewport.height, 0)
