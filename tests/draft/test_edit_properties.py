"""What holds for every file and every edit."""

from __future__ import annotations

import re
from itertools import permutations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kcode.draft.edit import apply_edits
from kcode.errors import EditRefusedError
from kcode.tooling import Edit, Tier

ENDS = st.sampled_from(["\n", "\r\n"])
# Letters, blanks, what looks like a line end and is none, and characters of every width.
LINE = st.text(st.sampled_from("ab1=(  \t\x0c\u2028\x85\ré→\u201c\U0001f600"), max_size=14)
# Lines that can be told apart, so that windows of them are found once.
WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "x = y", "(z)"]), min_size=1, max_size=3)


@st.composite
def files(draw: st.DrawFn) -> str:
    body = "".join(line + draw(ENDS) for line in draw(st.lists(LINE, max_size=10)))
    return body + draw(st.sampled_from(["", "last", "\t"]))


@st.composite
def programs(draw: st.DrawFn) -> list[str]:
    """Lines with an own number each, indented by steps of a tab or two or four spaces."""
    step = draw(st.sampled_from(["\t", "  ", "    "]))
    count = draw(st.integers(4, 12))
    depths = [0]
    for _ in range(count - 1):
        depths.append(draw(st.integers(0, depths[-1] + 1)))
    return [f"{step * depth}line{number} {' '.join(draw(WORDS))}" for number, depth in enumerate(depths)]


def attempt(before: str, edits: list[Edit]) -> str | None:
    data = before.encode()
    try:
        return apply_edits(data, edits).after.decode()
    except EditRefusedError:
        return None


@settings(max_examples=100, deadline=None)
@given(files(), st.data())
def test_a_text_that_stands_there_once_is_replaced_as_it_is(before: str, data: st.DataObject) -> None:
    before = re.sub("\r+\n", "\n", before)
    start = data.draw(st.integers(0, len(before)))
    old = before[start : data.draw(st.integers(start, len(before)))]
    new = re.sub("\r+\n", "\n", data.draw(files()))
    assume(old and old != new)
    at = before.find(old)
    once = before.find(old, at + 1) < 0
    result = attempt(before, [Edit(old, new)])
    assert result == (before.replace(old, new) if once else None)
    everywhere = attempt(before, [Edit(old, new, replace_all=True)])
    assert everywhere == before.replace(old, new)


@settings(max_examples=100, deadline=None)
@given(files(), st.data())
def test_lines_before_and_behind_the_edit_keep_every_byte(before: str, data: st.DataObject) -> None:
    lines = before.split("\n")
    first = data.draw(st.integers(0, len(lines) - 1))
    last = data.draw(st.integers(first, len(lines) - 1))
    old = "\n".join(lines[first : last + 1]).replace("\r\n", "\n").removesuffix("\r")
    result = attempt(before, [Edit(old, data.draw(files()))])
    if result is None:
        return
    head, tail = "".join(f"{line}\n" for line in lines[:first]), "".join(f"\n{line}" for line in lines[last + 1 :])
    assert result.startswith(head)
    assert result.endswith(tail)


@settings(max_examples=60, deadline=None)
@given(programs(), st.data())
def test_an_edit_retyped_in_another_way_gives_what_the_exact_one_does(lines: list[str], data: st.DataObject) -> None:
    own = data.draw(st.sampled_from(["", " ", "\t "]))
    file = [line + own for line in lines]
    first = data.draw(st.integers(0, len(lines) - 2))
    last = data.draw(st.integers(first + 1, len(lines) - 1))
    at = data.draw(st.integers(first, last))
    changed = [line.replace("line", "row") if number == at else line for number, line in enumerate(file)]
    added = data.draw(st.booleans())
    after = [*changed[: at + 1], *([changed[at].rstrip()] if added else []), *changed[at + 1 :]]
    wanted = "\n".join(after) + "\n"
    old, new = file[first : last + 1], after[first : last + 1 + added]
    before = "\n".join(file) + "\n"
    assert attempt(before, [Edit("\n".join(old) + "\n", "\n".join(new) + "\n")]) == wanted

    def retyped(noise: dict[str, str], extra: str = "") -> tuple[Tier, str | None]:
        texts: list[str] = []
        for side in (old, new):
            plain = [line.rstrip() + extra for line in side]
            for ours, theirs in noise.items():
                plain = [line.replace(ours, theirs) for line in plain]
            texts.append("\n".join(plain) + "\n")
        try:
            applied = apply_edits(before.encode(), [Edit(texts[0], texts[1])])
        except EditRefusedError:
            return Tier.EXACT, None
        return applied.matches[0].tier, applied.after.decode()

    tier, result = retyped({}, "   ")
    assert tier is Tier.TRAILING
    # With a line more than before the model's own lines come in, and with them its own blanks at their ends.
    assert result is not None
    assert [line.rstrip() for line in result.split("\n")] == [line.rstrip() for line in wanted.split("\n")]
    if not added:
        assert result == wanted
        assert retyped({" ": "  "})[1] in {wanted, None}
    if not added and not any(line.startswith((" ", "\t")) for line in file[first : last + 1]):
        assert retyped({"line": "    line", "row": "    row"}) == (Tier.INDENT, wanted)


@settings(max_examples=40, deadline=None)
@given(programs(), st.data())
def test_numbers_and_look_alikes_change_nothing_but_the_edit(lines: list[str], data: st.DataObject) -> None:
    file = [line.replace("x = y", "\u201cx\u201d \u2013\u00a0y") for line in lines]
    first = data.draw(st.integers(0, len(lines) - 2))
    last = data.draw(st.integers(first + 1, len(lines) - 1))
    before = "\n".join(file) + "\n"
    wanted = before.replace(f"line{first} ", "other ")
    numbered = [f"{number}→{line}" for number, line in enumerate(file[first : last + 1], first + 1)]
    old = "\n".join(numbered)
    assert attempt(before, [Edit(old, old.replace(f"line{first} ", "other "))]) == wanted
    plain = "\n".join(lines[first : last + 1])
    typed = plain.replace("x = y", '"x" - y')
    assert attempt(before, [Edit(typed, typed.replace(f"line{first} ", "other "))]) == wanted


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=12), st.data())
def test_edits_give_the_same_in_any_order(kinds: list[int], data: st.DataObject) -> None:
    lines = [f"line {number} of kind {kind}" for number, kind in enumerate(kinds)]
    end = data.draw(ENDS)
    before = "".join(line + end for line in lines)
    chosen = data.draw(st.lists(st.sampled_from(range(len(lines))), min_size=2, max_size=3, unique=True))
    edits = [Edit(f"line {at} of", data.draw(st.sampled_from(["", "row of", "one\ntwo of"]))) for at in chosen]
    wanted = before
    for edit in edits:
        wanted = wanted.replace(edit.old, edit.new.replace("\n", end))
    for order in permutations(edits):
        assert attempt(before, list(order)) == wanted
    # Each also quotes its neighbours, so that they overlap in what they do not change.
    whole = before.replace("\r\n", "\n")
    quoting = [Edit(whole, whole.replace(edit.old, edit.new)) for edit in edits if edit.new]
    if len(quoting) == len(edits):
        for order in permutations(quoting):
            assert attempt(before, list(order)) == wanted
    assert attempt(before, [*edits, Edit("nowhere to be found", "x")]) is None
