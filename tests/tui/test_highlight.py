from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kcode.tui.highlight import highlight_lines
from kcode.tui.lines import Role, plain


def test_code_is_coloured_by_its_files_name() -> None:
    first, second = highlight_lines('def total(x):\n\treturn "a"\n', "billing/money.py")
    assert [(span.text, span.role) for span in first][:1] == [("def", Role.KEYWORD)]
    assert plain(second) == '    return "a"'


@given(
    st.text(st.sampled_from("def ':\"\n\t\r\x1b(){}#漢"), max_size=80), st.sampled_from(["a.py", "python", "x.nothing"])
)
def test_each_line_of_the_text_is_one_line_and_safe(text: str, name: str) -> None:
    lines = highlight_lines(text, name)
    assert len(lines) == len(text.removesuffix("\n").split("\n"))
    assert not any(character in plain(line) for line in lines for character in "\n\t\x1b")
