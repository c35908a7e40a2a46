"""Edits whose `old` is not quite what stands in the file: what is found, what stays the file's, what is refused."""

from __future__ import annotations

import pytest

from kcode.draft.edit import apply_edits
from kcode.errors import EditRefusedError
from kcode.tooling import Edit, Tier


def applied(before: str, old: str, new: str) -> tuple[str, Tier]:
    result = apply_edits(before.encode(), [Edit(old, new)])
    (match,) = result.matches
    assert (match.tier is Tier.EXACT) == (result.remarks == ())
    return result.after.decode(), match.tier


def refusal(before: str, old: str, new: str) -> str:
    with pytest.raises(EditRefusedError) as refused:
        apply_edits(before.encode(), [Edit(old, new)])
    assert "No file was changed" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("shape", ["{}→{}", "  {}→{}", "{}: {}", "    {}\t{}"])
def test_line_numbers_before_every_line_are_passed_over(shape: str) -> None:
    before = "one()\nsecond(1)\nthird(2)\nfour()\n"
    old = f"{shape.format(2, 'second(1)')}\n{shape.format(3, 'third(2)')}\n"
    numbered = f"{shape.format(2, 'second(1)')}\n{shape.format(3, 'third(3)')}\n"
    wanted = "one()\nsecond(1)\nthird(3)\nfour()\n"
    assert applied(before, old, numbered) == (wanted, Tier.NUMBERS)
    assert applied(before, old, "second(1)\nthird(3)\n") == (wanted, Tier.NUMBERS)


def test_line_numbers_are_no_artefact_unless_they_count() -> None:
    before = "one()\nsecond(1)\nthird(2)\n"
    refusal(before, "2→second(1)\n9→third(2)\n", "x")
    refusal(before, "2→second(1)\nthird(2)\n", "x")
    assert "line numbers" in refusal(before, "2→second(1)\n3→third(2)\n", "2→second(1)\nthird(3)\n")


def test_numbers_that_the_file_has_are_its_own() -> None:
    before = "1\tfirst row\n2\tsecond row\n"
    assert applied(before, "2\tsecond row", "2\tlast row") == ("1\tfirst row\n2\tlast row\n", Tier.EXACT)


def test_blanks_at_line_ends_stay_where_the_line_does() -> None:
    before = "Title  \nfirst line \t\nsecond line\n"
    old, new = "Title\nfirst line\nsecond line  \n", "Title\nfirst line\nadded line\nsecond line  \n"
    assert applied(before, old, new) == ("Title  \nfirst line \t\nadded line\nsecond line\n", Tier.TRAILING)
    assert applied(before, "Title\nfirst line", "Title\nother line") == (
        "Title  \nother line \t\nsecond line\n",
        Tier.TRAILING,
    )


def test_look_alikes_stay_as_the_file_has_them_also_within_a_changed_line() -> None:
    before = "say(\u201chello \u2013 you\u201d, 1)\nnext\u00a0line()\n"
    old, new = 'say("hello - you", 1)\nnext line()', 'say("hello - you", 2)\nnext line()'
    assert applied(before, old, new) == (before.replace("1", "2"), Tier.LOOKALIKES)


def test_indentation_is_carried_over_to_lines_that_come() -> None:
    before = "class A:\n\tdef f(self):\n\t\tif self.x:\n\t\t\treturn 1\n"
    old = "    def f(self):\n        if self.x:\n            return 1\n"
    new = (
        "    def f(self):\n        if self.x:\n            if self.y:\n                return 2\n            return 1\n"
    )
    after = "class A:\n\tdef f(self):\n\t\tif self.x:\n\t\t\tif self.y:\n\t\t\t\treturn 2\n\t\t\treturn 1\n"
    assert applied(before, old, new) == (after, Tier.INDENT)


def test_a_block_quoted_without_its_outer_indentation_keeps_it() -> None:
    before = "def f():\n    for a in b:\n        use(a)\n    end()\n"
    old, new = "for a in b:\n    use(a)\n", "for a in b:\n    if a:\n        use(a)\n"
    assert applied(before, old, new)[0] == "def f():\n    for a in b:\n        if a:\n            use(a)\n    end()\n"


def test_lines_of_one_depth_are_deepened_by_the_step_that_file_and_model_have() -> None:
    before = "def f():\n    if x:\n        y()\n    call(one)\n    call(two)\n"
    old, new = "  call(one)\n  call(two)\n", "  if z:\n    call(one)\n  call(two)\n"
    after = "def f():\n    if x:\n        y()\n    if z:\n        call(one)\n    call(two)\n"
    assert applied(before, old, new) == (after, Tier.INDENT)


def test_an_exact_text_stays_exact_where_it_begins_within_an_indentation() -> None:
    result = apply_edits(b"if a:\n  if b:\n    call(one)\n", [Edit("call(one)\n", "if x:\n  call(one)\n")])
    assert result.after == b"if a:\n  if b:\n    if x:\n  call(one)\n"
    (remark,) = result.remarks
    assert "begins within the indentation of line 3" in remark
    assert apply_edits(b"  a()\n  b()\n", [Edit("a()\n", "a()\n  c()\n")]).remarks == ()


def test_indentation_that_means_two_things_is_refused() -> None:
    before = "def f():\n    if x:\n        call(one)\n    call(two)\n"
    text = refusal(before, "if x:\ncall(one)\ncall(two)\n", "if x:\ncall(three)\n")
    assert "indented differently in the file" in text
    assert "Read lines 2-4" in text


def test_indentation_that_nothing_shows_is_refused() -> None:
    before = "a {\n   call(one)\n   call(two)\n}\n"
    assert "not clear how deep" in refusal(before, "  call(one)\n  call(two)\n", "  call(one)\n\tcall(three)\n")


def test_blanks_within_a_line_stay_where_the_model_changed_nothing() -> None:
    before = "alpha   = 1  # first\nbeta    = 2\n\tgamma =  3\n"
    old, new = "alpha = 1 # first\nbeta = 2\n", "alpha = 1 # first\nbeta = 20\n"
    assert applied(before, old, new) == ("alpha   = 1  # first\nbeta    = 20\n\tgamma =  3\n", Tier.BLANKS)


def test_the_first_tier_with_a_match_decides_and_several_are_refused() -> None:
    before = "def f():\n    return value\n\nclass A:\n    def g():\n        return value\n"
    text = refusal(before, "  return value", "  return other")
    assert "there 2 times" not in text
    text = refusal(before.replace("    return", "\treturn"), "      return value\n", "x\n")
    assert "passing over the indentation it is there 2 times" in text
    assert "line 2: \treturn value" in text


def test_too_little_text_and_parts_of_lines_are_found_only_exactly() -> None:
    assert "not in the file" in refusal("x\t= 1\n", "x = 1", "x = 2")
    assert "not in the file" in refusal("if call(one,\t two):\n", "call(one, two)", "call(two)")
    assert "not in the file" in refusal("value\t= 1\nvalue\t= 1\n", "value = 1", "x")[:40]


def test_replace_all_takes_exact_texts_alone() -> None:
    with pytest.raises(EditRefusedError, match="not in the file"):
        apply_edits(b"\tvalue = 1\n", [Edit("  value = 1\n", "x\n", replace_all=True)])


def test_whole_lines_are_deleted_with_their_ends() -> None:
    before = "\tone(1)\n\ttwo(2)\n\tthree()\n"
    assert applied(before, "  one(1)\n  two(2)\n", "")[0] == "\tthree()\n"
    assert applied(before, "  one(1)\n  two(2)", "")[0] == "\n\tthree()\n"
    assert applied("\tone(1)\n\ttwo(2)", "  one(1)\n  two(2)\n", "  one(1)\n")[0] == "\tone(1)"


def test_what_looks_like_a_line_end_is_none() -> None:
    before = "first\u2028line\x0cof text\nsecond\rline\n"
    assert applied(before, "first\u2028line\x0cof text  \n", "other\n")[0] == "other\nsecond\rline\n"
    refusal(before, "second\nline of it\n", "x")


def test_near_line_chooses_where_it_is_beyond_doubt() -> None:
    lines = ["x = 1"] + [f"line {n}" for n in range(2, 60)] + ["x = 1", ""]
    before = "\n".join(lines).encode()

    def near(line: int | None, text: bytes = before) -> bytes:
        return apply_edits(text, [Edit("x = 1", "x = 2", near_line=line)]).after

    assert near(58) == b"x = 2".join(before.rsplit(b"x = 1", 1))
    assert near(1) == before.replace(b"x = 1", b"x = 2", 1)
    for line in (None, 30, 56):
        with pytest.raises(EditRefusedError, match="2 times"):
            near(line)
    with pytest.raises(EditRefusedError, match="3 times"):
        near(58, before.replace(b"line 45", b"x = 1"))
    assert near(58, b"x = 1") == b"x = 2"
