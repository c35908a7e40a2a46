from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.edit import apply_edits
from kcode.errors import EditRefusedError
from kcode.tooling import Edit


def edited(before: str | bytes, *pairs: tuple[str, str]) -> bytes:
    data = before.encode() if isinstance(before, str) else before
    return apply_edits(data, [Edit(old, new) for old, new in pairs]).after


def refusal(before: str | bytes, *pairs: tuple[str, str], replace_all: bool = False) -> str:
    data = before.encode() if isinstance(before, str) else before
    with pytest.raises(EditRefusedError) as refused:
        apply_edits(data, [Edit(old, new, replace_all) for old, new in pairs])
    text = str(refused.value)
    assert "No file was changed" in text
    return text


def test_a_unique_text_is_replaced_and_nothing_else() -> None:
    assert edited("a\nb\nc\n", ("b", "B")) == b"a\nB\nc\n"
    assert edited("a\nb\nc", ("c", "d")) == b"a\nb\nd"
    assert edited("a\nb\nc\n", ("b\n", "")) == b"a\nc\n"
    assert edited("whole", ("whole", "")) == b""


def test_edits_are_matched_against_the_file_as_it_was() -> None:
    assert edited("one two three", ("one", "two"), ("two", "three"), ("three", "one")) == b"two three one"
    assert edited("ab", ("b", "B"), ("a", "A")) == b"AB"


def test_replace_all_takes_every_occurrence_from_the_left() -> None:
    applied = apply_edits(b"x = x + xx\naaa\n", [Edit("x", "y", replace_all=True), Edit("aa", "b", replace_all=True)])
    assert applied.after == b"y = y + yy\nba\n"
    assert applied.places == ((1, 2),)


@pytest.mark.parametrize(
    ("before", "pairs", "places"),
    [
        ("a\nb\nc\n", [("b\n", "x\ny\n")], ((2, 3),)),
        ("a\nb\nc\n", [("b", "x\ny")], ((2, 3),)),
        ("a\nb\nc\n", [("b\n", "")], ((2, 1),)),
        ("a\nb\nc\n", [("a\n", "1\n2\n3\n"), ("c\n", "z\n")], ((1, 3), (5, 5))),
        ("a\nb\nc", [("c", "d\n")], ((3, 3),)),
        ("abc", [("b", "")], ((1, 1),)),
        ("a\nb\nc\nd\ne\n", [("a\nb\nc\nd\ne\n", "a\nB\nc\nD\ne\n")], ((2, 2), (4, 4))),
        ("a\nb\nc\n", [("a\nb\nc", "a\nx\nb\nc")], ((2, 2),)),
        ("a\nb\nc\n", [("a\n", "a"), ("c", "C")], ((1, 2),)),
        ("a b\nc\n", [("a", "A"), ("b", "B\nb")], ((1, 2),)),
        ("a\nb\n", [("a\nb\n", "")], ((1, 0),)),
    ],
)
def test_the_places_are_the_lines_of_the_new_text(
    before: str, pairs: list[tuple[str, str]], places: tuple[tuple[int, int], ...]
) -> None:
    assert apply_edits(before.encode(), [Edit(*pair) for pair in pairs]).places == places


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=12), st.data())
def test_lines_outside_the_places_were_there_before(lines: list[str], data: st.DataObject) -> None:
    before = "\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(before)), min_size=4, max_size=4)))
    edits = [
        Edit(before[low:high], data.draw(st.text("ab\n", max_size=6)))
        for low, high in (cuts[:2], cuts[2:])
        if before.count(before[low:high]) == 1
    ]
    try:
        applied = apply_edits(before.encode(), edits)
    except EditRefusedError:
        return
    after = applied.after.decode().removesuffix("\n").split("\n") if applied.after else []
    changed = {line for first, last in applied.places for line in range(first, last + 1)}
    kept = [text for line, text in enumerate(after, 1) if line not in changed]
    left = iter(before.split("\n"))
    assert all(any(text == other for other in left) for text in kept)
    assert [place for place in applied.places if place[0] < 1 or place[1] > len(after)] == []
    assert list(applied.places) == sorted(applied.places)


def test_a_crlf_file_is_edited_with_plain_line_ends_and_keeps_its_own() -> None:
    before = b"a\r\nb\r\nc\r\n"
    assert edited(before, ("a\nb\n", "a\nx\ny\n")) == b"a\r\nx\r\ny\r\nc\r\n"
    assert edited(before, ("a\r\nb", "a\r\nB")) == b"a\r\nB\r\nc\r\n"
    assert edited(b"a\r\nlone\rcr\r\n", ("lone", "one")) == b"a\r\none\rcr\r\n"


def test_a_mixed_file_keeps_the_end_of_every_line_that_did_not_change() -> None:
    before = b"a\r\nb\nc\r\nd\n"
    assert edited(before, ("a\nb\nc\nd\n", "a\nb\nC\nd\n")) == b"a\r\nb\nC\r\nd\n"
    assert edited(before, ("b\n", "b\nnew\n")) == b"a\r\nb\nnew\nc\r\nd\n"
    assert edited(before, ("a\n", "a\nnew\n")) == b"a\r\nnew\r\nb\nc\r\nd\n"
    assert edited(before, ("c", "x\nc")) == b"a\r\nb\nx\nc\r\nd\n"


def test_a_mixed_file_keeps_the_end_of_a_line_that_is_quoted_without_it() -> None:
    assert edited(b"one\r\ntwo\nthree\r\n", ("two", "two\nmore")) == b"one\r\ntwo\nmore\nthree\r\n"
    assert edited(b"one\ntwo\r\nthree\n", ("two", "more\ntwo")) == b"one\nmore\ntwo\r\nthree\n"
    assert edited(b"one\ntwo\r\n", ("tw", "TW"), ("o\n", "o\nx\n")) == b"one\nTWo\r\nx\r\n"


def test_a_byte_order_mark_and_utf16_stay() -> None:
    assert edited(b"\xef\xbb\xbfa\n", ("a", "b")) == b"\xef\xbb\xbfb\n"
    before = b"\xff\xfe" + "a\r\né\r\n".encode("utf-16-le")
    assert edited(before, ("é", "ü\nx")) == b"\xff\xfe" + "a\r\nü\r\nx\r\n".encode("utf-16-le")


def test_what_no_text_file_can_hold_is_refused() -> None:
    assert "binary" in refusal(b"a\0b", ("a", "b"))
    assert "surrogate" in refusal("a", ("a", "\ud800"))
    assert "NUL" in refusal("a", ("a", "\0"))


def test_senseless_edits_are_refused_with_the_next_step() -> None:
    assert "write_file" in refusal("a", ("", "b"))
    assert "the same" in refusal("a", ("a", "a"))
    assert "the same" in refusal(b"a\r\nb\r\n", ("a\r\nb", "a\nb"))
    assert "at least one" in refusal("a")
    assert "change the same text, at line 2" in refusal("a\nb\nc\n", ("a\nb", "x"), ("b\nc", "y"))


def test_edits_may_quote_the_same_lines_but_not_change_them() -> None:
    before = "one\ntwo\nthree\nfour\n"
    assert edited(before, ("one\ntwo\nthree\n", "1\ntwo\nthree\n"), ("two\nthree\nfour", "two\n3\nfour")) == (
        b"1\ntwo\n3\nfour\n"
    )
    assert edited(before, ("one\ntwo", "one\n2"), ("two\nthree", "two\n3")) == b"one\n2\n3\nfour\n"
    same_line = refusal(before, ("one\ntwo", "one\n2"), ("two\nthree", "zwei\nthree"))
    assert "Edits 1 and 2 of 2 change the same text, at line 2" in same_line
    refusal(before, ("one\ntwo", "one\nx\ntwo"), ("one\ntwo\n", "one\ny\ntwo\n"))
    with pytest.raises(EditRefusedError, match="change the same text"):
        apply_edits(b"a b a\n", [Edit("a", "c", replace_all=True), Edit("b a", "d")])


def test_an_edit_without_change_is_passed_over_beside_others() -> None:
    applied = apply_edits(b"a\nb\n", [Edit("a", "c"), Edit("b", "b")])
    assert applied.after == b"c\nb\n"
    assert applied.remarks == ("Edit 2 asked for no change: its `old` and `new` are the same.",)


def test_an_empty_file_takes_an_empty_text() -> None:
    assert edited("", ("", "first\n")) == b"first\n"
    assert edited(b"\xef\xbb\xbf", ("", "first\n")) == b"\xef\xbb\xbffirst\n"


def test_more_than_a_hundred_thousand_places_are_left_to_a_command() -> None:
    assert "run_command" in refusal("x\n" * 100_001, ("x", "y"), replace_all=True)


def test_edits_that_undo_each_other_are_refused() -> None:
    assert "the file as it is" in refusal("ab", ("a", ""), ("b", "ab"))


def test_an_ambiguous_text_is_refused_with_every_line() -> None:
    text = refusal("x = 1\ny = 2\nx = 1\n", ("x = 1", "x = 3"))
    assert "2 times" in text
    assert "line 1: x = 1\n" in text
    assert "line 3: x = 1\n" in text
    assert "replace_all" in text
    assert "100 times" in refusal("x\n" * 100, ("x\n", "y\n"))
    assert len(refusal("x\n" * 100_000, ("x\n", "y\n"))) < 2_000


def test_overlapping_occurrences_are_ambiguous() -> None:
    assert "2 times" in refusal("\n\n\n", ("\n\n", "x"))


def test_the_closest_lines_are_shown_with_visible_white_space() -> None:
    before = "def f():\n\tif x:\n\t\treturn 1\n\nend\n"
    text = refusal(before, ("    if x:\n        return 2\n", "    if y:\n        return 2\n"))
    assert "lines 2-3" in text
    assert "2→⇥if x:\n3→⇥⇥return 1\n" in text
    assert "line 2, column 1: the file has `⇥if x:`, `old` has `····if x:`" in text
    assert text.endswith("No file was changed. Use these lines, writing each · as a space and ⇥ as a tab.")


def test_lines_that_differ_only_in_words_are_shown_as_they_are() -> None:
    text = refusal("def f():\n    total = compute(1)\n", ("def f():\n    total = compute(2)\n", "x"))
    assert "2→    total = compute(1)\n" in text
    assert text.endswith("No file was changed. Use these lines.")
    assert "·" not in text


def test_of_many_lines_a_part_is_shown_and_the_rest_is_to_be_read() -> None:
    before = "".join(f"    value_{i} = {i}\n" for i in range(1, 60))
    text = refusal(before, (before.replace("value_30 ", "value_x "), "x"))
    assert "The closest place: lines 1-59, of which lines 26-41:\n" in text
    assert text.endswith("Read lines 1-59 with read_file, and copy `old` from there.")


def test_the_first_difference_is_found_inside_a_line() -> None:
    text = refusal("a = compute(alpha, beta)\n", ("a = compute(alpha,beta)\n", "a = 1\n"))
    assert "line 1, column 19" in text


def test_a_text_that_begins_within_a_line_is_compared_from_there() -> None:
    before = "value = call(\n    one,\n    two,\n)\n"
    text = refusal(before, ("call(\n    one,\n    three,\n)", "call()"))
    assert "line 3, column 6" in text


def test_a_missing_final_line_end_is_named() -> None:
    assert "last line has none" in refusal("a\nthe end", ("the end\n", "x\n"))


def test_nothing_alike_says_how_to_find_it() -> None:
    assert "search" in refusal("alpha\nbeta\n", ("completely different text here", "x"))
    assert "search" in refusal("", ("something", "x"))


def test_line_numbers_in_old_are_recognised() -> None:
    assert "line numbers, which are no part of it" in refusal("a = 1\nb = 2\n", (" 1→a = 1\n 2→b = 2\n", "c"))


def test_an_edit_that_was_made_before_is_recognised() -> None:
    assert "already" in refusal("new text\n", ("old text", "new text"))


def test_lines_that_are_added_beside_the_same_lines_are_told_of() -> None:
    applied = apply_edits(b"import a\nimport b\n", [Edit("import a\n", "import a\nimport b\n")])
    assert applied.after == b"import a\nimport b\nimport b\n"
    (remark,) = applied.remarks
    assert "stands there twice" in remark


def test_a_short_or_frequent_new_text_is_not_taken_for_the_edit_made_before() -> None:
    before = "def f():\n    pass\n\n\ndef g():\n    return total\n    return total\n\n\nvalue = other_text\n"
    for new in ("pass", "return total", "other_text", "    return total\n"):
        assert "already" not in refusal(before, ("if absent:\n    raise ValueError", new))
    assert "at line 10: it seems to be already applied" in refusal(before, ("absent", "value = other_text\n"))


def test_text_that_another_edit_would_bring_is_pointed_out() -> None:
    text = refusal("a\n", ("a", "first\nsecond"), ("second", "third"))
    assert "only in the `new` of edit 1" in text


def test_a_refusal_stays_short_for_a_large_file() -> None:
    before = "".join(f"    value_{i} = compute({i}, other_{i % 977})\n" for i in range(10_000))
    text = refusal(before, ("\tvalue_500 = compute(500, other_501)\n" * 40, "x"))
    text += refusal(before, ("nothing of this kind is there at all", "x"))
    assert len(text) < 6_000


LINES = st.lists(st.sampled_from(["", "a", "b", "  a", "\tb", "é→", "x" * 9]), max_size=12)
ENDS = st.lists(st.sampled_from(["\n", "\r\n"]), min_size=12, max_size=12)


@settings(max_examples=300)
@given(LINES, ENDS, st.data())
def test_untouched_bytes_stay_whatever_is_replaced(lines: list[str], ends: list[str], data: st.DataObject) -> None:
    raw = "".join(line + end for line, end in zip(lines, ends, strict=False)) + data.draw(st.sampled_from(["", "end"]))
    text = raw.replace("\r\n", "\n")
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    old, new = text[start:stop], "\n".join(data.draw(LINES))
    try:
        after = apply_edits(raw.encode(), [Edit(old, new)]).after.decode()
    except EditRefusedError:
        return
    assert after.replace("\r\n", "\n") == text[:start] + new + text[stop:]
    before_lines = text[:start].count("\n")
    assert after.split("\n")[:before_lines] == raw.split("\n")[:before_lines]
    after_lines = text[stop:].count("\n")
    if after_lines:
        assert after.split("\n")[-after_lines:] == raw.split("\n")[-after_lines:]


@settings(max_examples=200)
@given(LINES, ENDS)
def test_an_edit_and_its_inverse_give_the_first_bytes(lines: list[str], ends: list[str]) -> None:
    raw = "".join(line + end for line, end in zip(lines, ends, strict=False)) + "unique line\nlast"
    there = apply_edits(raw.encode(), [Edit("unique line", "changed line")]).after
    assert apply_edits(there, [Edit("changed line", "unique line")]).after == raw.encode()


def test_a_refusal_speaks_of_every_edit_that_does_not_fit_and_of_those_that_do() -> None:
    before = b"one = 1\ntwo = 2\ntwo = 2\nthree = 3\n"
    text = refusal(before, ("one", "ein"), ("two", "zwei"), ("nothing of it", "x"))
    assert text.startswith("Edit 2 of 3: `old` stands in the file 2 times")
    assert "\nEdit 3 of 3: `old` is not in the file" in text
    assert text.endswith("\nThe other edit fits as given.")
    assert text.count("No file was changed") == 1


def test_an_edit_that_is_sent_twice_in_one_call_is_made_once() -> None:
    applied = apply_edits(b"one\ntwo\n", [Edit("one", "ein"), Edit("one", "ein"), Edit("two", "zwei")])
    assert applied.after == b"ein\nzwei\n"
    assert applied.remarks == ("Edit 2 repeats edit 1, which was made once.",)
    assert "stands in the file 2 times" in refusal(b"one\none\n", ("one", "ein"), ("one", "ein"))
