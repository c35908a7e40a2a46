from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.edit import apply_edits
from kcode.errors import EditRefusedError, ToolError
from kcode.textfile import decode_text
from kcode.tooling import Edit


@settings(max_examples=200)
@given(st.binary(max_size=60), st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"# coding: gbk\n"]))
def test_bytes_come_back_as_they_were(body: bytes, head: bytes) -> None:
    try:
        file = decode_text(head + body)
    except ToolError:
        assert b"\0" in head + body
        return
    assert file.encode(file.raw) == head + body
    "\n".join(file.lines).encode()


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ("# -*- coding: gbk -*-\n", "gbk"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>\n', "iso8859-1"),
        ('<meta charset="windows-1251">\n', "cp1251"),
        ("// vim: set fileencoding=koi8-r :\n", "koi8-r"),
        ('@charset "shift_jis";\n', "shift_jis"),
    ],
)
def test_a_declared_encoding_is_read_and_written(head: str, codec: str) -> None:
    word = {"gbk": "中文", "iso8859-1": "café", "shift_jis": "日本語"}.get(codec, "слово")
    before = f"{head}x = {word}\n"
    after = apply_edits(before.encode(codec), [Edit(f"x = {word}", f"y = {word * 2}")]).after
    assert after == f"{head}y = {word * 2}\n".encode(codec)
    with pytest.raises(EditRefusedError, match="the file's encoding, does not have"):
        apply_edits(before.encode(codec), [Edit("x = ", "\U0001f600")])


def test_a_declaration_is_not_changed_without_the_bytes() -> None:
    before = "# coding: gbk\nx = '中文'\n".encode("gbk")
    with pytest.raises(EditRefusedError, match="would not say so any more"):
        apply_edits(before, [Edit("coding: gbk", "coding: utf-8")])
    undeclared = before.replace(b"coding: gbk", b"what?")
    assert apply_edits(undeclared, [Edit("# what?", "# coding: gbk")]).after == before


@pytest.mark.parametrize("declared", ["utf-8", "utf-7", "rot13", "hex", "no-such", "utf-16"])
def test_a_declaration_that_does_not_fit_is_passed_over(declared: str) -> None:
    assert decode_text(f"# coding: {declared}\n".encode() + b"caf\xe9\n").has_unknown_bytes


def test_a_file_of_unknown_encoding_keeps_its_bytes_and_takes_ascii() -> None:
    before = b"caf\xe9 one\nplain two\n\xd6\xd0\n"
    assert decode_text(before).lines == ["caf\ufffd one", "plain two", "\ufffd\ufffd"]
    assert apply_edits(before, [Edit("plain two", "plain 2\nmore")]).after == b"caf\xe9 one\nplain 2\nmore\n\xd6\xd0\n"
    retyped = apply_edits(before, [Edit("caf\ufffd one\nplain two\n", "caf\ufffd 1\nplain two\n")])
    assert retyped.after == b"caf\xe9 1\nplain two\n\xd6\xd0\n"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("plain two", "plain\u00e9", "encoding is not known"),
        ("plain two", "plain \ufffd", "encoding is not known"),
        ("plain two", f"plain {chr(0xDCC3)}", "encoding is not known"),
        ("caf\ufffd one\nplain two\n", "caf\ufffd one\nplain \ufffd\nx\n", "encoding is not known"),
        (" one", " 1", "might cut one in two"),
    ],
)
def test_a_character_that_nobody_can_write_is_refused(old: str, new: str, reason: str) -> None:
    with pytest.raises(EditRefusedError, match=reason) as refused:
        apply_edits(b"caf\xe9 one\nplain two\n", [Edit(old, new)])
    str(refused.value).encode()
