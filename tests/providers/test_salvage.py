from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.providers.streams import DONE, TOOLS, call, calls, chunk, declared, decode, reply_of, shown

if TYPE_CHECKING:
    from kcode.providers import ReplyDelta

SECTION, END_SECTION = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
BEGIN, ARGUMENTS, END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
READ_A, READ_B = ("read_file", '{"path": "a"}'), ("read_file", '{"path": "b"}')
A, B = (f'{BEGIN}functions.read_file:{n}{ARGUMENTS}{{"path": "{name}"}}{END}' for n, name in enumerate("ab"))
WHOLE = f"{SECTION}{A}{END_SECTION}"

# Leaks as they were seen in the wild.
G = (
    "I'll analyze… <|tool_calls_section_begin|> <|tool_call_begin|> functions.list_directory:0 "
    '<|tool_call_argument_begin|> {"path": "/Users/..."} <|tool_call_end|> <|tool_calls_section_end|>'
)
H = 'channel_reply:0<|tool_call_argument_begin|>{"text": "..."}<|tool_calls_section_end|>'
G_CALL, H_CALL = ("list_directory", '{"path": "/Users/..."}'), ("channel_reply", '{"text": "..."}')


def leaked(text: str, key: str = "content", finish: str = "stop") -> ReplyDelta:
    """The reply, the same whether the text comes in one delta or each character in its own."""
    ends = [chunk(finish=finish), DONE]
    whole = reply_of(chunk({key: text}), *ends)
    apart, deltas = decode([*(chunk({key: character}) for character in text), *ends])
    assert apart == whole
    assert shown(deltas) == (whole.message.reasoning or "", whole.message.text)
    return whole


def made(reply: ReplyDelta) -> list[tuple[str, str]]:
    return [(c.name, c.arguments) for c in reply.message.tool_calls]


@pytest.mark.parametrize(
    ("text", "expected", "left"),
    [
        (WHOLE, [READ_A], ""),
        (f"Before.\n{WHOLE} After.", [READ_A], "Before.\n After."),
        (f"{SECTION}{A}{B}{END_SECTION}", [READ_A, READ_B], ""),
        (f"{WHOLE}between{SECTION}{B}{END_SECTION}", [READ_A, READ_B], "between"),
        (f"{SECTION}\n{A}\n{B}\n{END_SECTION}\n", [READ_A, READ_B], ""),
        (f"{SECTION}noise{A}noise\n{B} noise {END_SECTION}kept", [READ_A, READ_B], "kept"),
        (f"{SECTION}\n    {A}\n    {B}\n{END_SECTION}", [READ_A, READ_B], ""),
        (f"{A}{B}{END_SECTION}", [READ_A, READ_B], ""),
        (f"{SECTION}{A}{B}", [READ_A, READ_B], ""),
        (f"{A}Now to b.{B}", [READ_A, READ_B], "Now to b."),
        (A, [READ_A], ""),
        (A.removesuffix(END), [READ_A], ""),
        (f"{A.removesuffix(END)} And on.", [READ_A], " And on."),
        (A.removesuffix(END) + B, [READ_A, READ_B], ""),
        (A.removeprefix(BEGIN), [READ_A], ""),
        (SECTION + A.removeprefix(BEGIN) + END_SECTION, [READ_A], ""),
        (f"One moment.\n{A.removeprefix(BEGIN)}", [READ_A], "One moment.\n"),
        (WHOLE.replace("calls_section", "call_section"), [READ_A], ""),
        (G, [G_CALL], "I'll analyze… "),
        (H, [H_CALL], ""),
        (H + H, [H_CALL, H_CALL], ""),
        (f"{H}\n{H}", [H_CALL, H_CALL], ""),
        (f"Reply:\n{H}", [H_CALL], "Reply:\n"),
        # Behind other words an id was shown before anything told that it is one.
        (f"Reply: {H}", [H_CALL], "Reply: channel_reply:0"),
        (f'{BEGIN}\nfunctions.read_file\n:0\n{ARGUMENTS}\n{{"path": "a"}} \n{END}', [READ_A], ""),
        (f'{BEGIN}functions.read_file:0{ARGUMENTS}{{"path": "{END}{END_SECTION}</think>"}}{END}x',
         [("read_file", f'{{"path": "{END}{END_SECTION}</think>"}}')], "x"),
        (f'{BEGIN}functions.read_file:0{ARGUMENTS}{{"path": "a\nb"}}{END}', [("read_file", '{"path": "a\nb"}')], ""),
        (f"{BEGIN}functions.run_tests:0{ARGUMENTS}{END}", [("run_tests", "")], ""),
        (f"{BEGIN}functions.run_tests:0{ARGUMENTS}{{}}{END}", [("run_tests", "{}")], ""),
    ],
)  # fmt: skip
def test_a_leaked_call_is_a_call_and_all_other_text_stays(
    text: str, expected: list[tuple[str, str]], left: str
) -> None:
    reply = leaked(text)
    assert (made(reply), reply.message.text, reply.finish) == (expected, left, "tool_calls")
    assert len({c.id for c in reply.message.tool_calls}) == len(expected)


@pytest.mark.parametrize(
    ("written", "arguments", "expected"),
    [
        ("functions.read_file:0", '{"path": "a"}', "read_file"),
        ("read_file:12", '{"path": "a"}', "read_file"),
        ("read_file", '{"path": "a"}', "read_file"),
        ("functions.my.namespace.do_thing:3", "{}", "my.namespace.do_thing"),
        ("my.namespace.do_thing:3", "{}", "my.namespace.do_thing"),
        ("functions.my.namespace.read_file:3", "{}", "read_file"),
        ("functions.read-file:1", "{}", "read-file"),
        ("functionslist_directory", "{}", "list_directory"),
        ("functionslist_directory:4", "{}", "list_directory"),
        ("call_functionslist_directory6", "{}", "list_directory"),
        ("functions.read_file.0", "{}", "read_file"),
        # Without a name it is the one tool that the arguments fit.
        ("0", '{"path": "a"}', "read_file"),
        ("0", '{"path": "a", "start": "1"}', "read_file"),
        ("0", '{"path": "a", "encoding": "b"}', "read-file"),
        ("3:0", '{"text": "a"}', "channel_reply"),
        ("functions.invalid.0", '{"text": "a"}', "channel_reply"),
    ],
)
def test_a_damaged_name_means_the_declared_tool(written: str, arguments: str, expected: str) -> None:
    assert made(leaked(f"{BEGIN}{written}{ARGUMENTS}{arguments}{END}")) == [(expected, arguments)]


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ("functions.delete_everything:0", '{"path": "a"}'),
        ("delete_everything:0", '{"path": "a"}'),
        ("0", '{"thing_nobody_has": "a"}'),
        ("0", '{"start": "1"}'),
        ("0", "{}"),
        ("0", ""),
        ("0", '["path"]'),
        ("0", '{"path": "a'),
    ],
)
def test_a_leak_of_no_declared_tool_stays_text_and_the_reply_is_called_malformed(written: str, arguments: str) -> None:
    text = f"{SECTION}{BEGIN}{written}{ARGUMENTS}{arguments}{END}{END_SECTION}"
    reply = leaked(text)
    assert (made(reply), reply.message.text, reply.finish) == ([], text, "malformed")
    reply = leaked(f"Some words. {text}")
    assert (made(reply), reply.message.text, reply.finish) == ([], f"Some words. {text}", "stop")


def test_two_tools_that_fit_are_no_choice() -> None:
    text = f'{BEGIN}0{ARGUMENTS}{{"path": "a"}}{END}'
    both = (*TOOLS, declared("other", "path"))
    assert reply_of(chunk({"content": text}), DONE, tools=both).message.tool_calls == ()


def test_beside_a_call_of_a_declared_tool_one_of_no_tool_stays_text() -> None:
    unknown = f"{BEGIN}functions.nothing:0{ARGUMENTS}{{}}{END}"
    reply = leaked(f"{SECTION}{unknown}{B}{END_SECTION}")
    assert (made(reply), reply.message.text) == ([READ_B], unknown)


@pytest.mark.parametrize("arguments", ['{"path": "a', '{"path": [.', '["a"]', "words", '{"path": "a"}}'])
def test_arguments_that_are_no_object_are_kept_for_the_loop_to_refuse(arguments: str) -> None:
    reply = leaked(f"{BEGIN}functions.read_file:0{ARGUMENTS}{arguments}{END}{END_SECTION}")
    assert (made(reply), reply.message.text, reply.finish) == ([("read_file", arguments)], "", "tool_calls")


@pytest.mark.parametrize("finish", ["length", "stop"])
def test_a_section_that_the_end_cuts_off_runs_only_what_is_whole(finish: str) -> None:
    head = f'{SECTION}{A}{BEGIN}functions.read_file:1{ARGUMENTS}{{"path": "b"}}'
    for end in range(len(SECTION) + len(A), len(head)):
        reply = leaked(head[:end], finish=finish) if end % 9 == 0 else reply_of(chunk({"content": head[:end]}, finish))
        assert made(reply)[:1] == [READ_A]
        assert all(arguments.startswith("{") and not arguments.endswith("}") for _, arguments in made(reply)[1:])
        assert reply.message.text == ""
        assert reply.finish == ("length" if finish == "length" else "tool_calls")
    assert made(leaked(head, finish=finish)) == [READ_A, READ_B]


@pytest.mark.parametrize("finish", ["length", "stop"])
def test_a_call_without_a_first_argument_is_none(finish: str) -> None:
    text = f"{SECTION}{BEGIN}functions.run_tests:0{ARGUMENTS}"
    assert made(leaked(text, finish=finish)) == []
    assert leaked(text, finish=finish).finish == "malformed"


@pytest.mark.parametrize(
    ("text", "left", "finish"),
    [
        (SECTION + END_SECTION, "", "malformed"),
        (f" {SECTION}\n{END_SECTION}\n", "", "malformed"),
        (f"Done.{SECTION}{END_SECTION}", "Done.", "stop"),
        (f"Done.{SECTION}{END_SECTION} Really.", "Done. Really.", "stop"),
        (f"{SECTION}{BEGIN}functions.rea", f"{SECTION}{BEGIN}functions.rea", "malformed"),
        (f"The section starts with {SECTION} and then", f"The section starts with {SECTION} and then", "stop"),
        ("<|tool_call", "<|tool_call", "stop"),
        ("a <| b <|tool_calls", "a <| b <|tool_calls", "stop"),
        ("functions are fine\nread_file:\n3:1", "functions are fine\nread_file:\n3:1", "stop"),
    ],
)
def test_tokens_without_a_call_are_text_and_an_empty_section_is_nothing(text: str, left: str, finish: str) -> None:
    reply = leaked(text)
    assert (made(reply), reply.message.text, reply.finish) == ([], left, finish)


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{WHOLE}\n```",
        f"Like this:\n\n```text\nfoo\n{WHOLE}\n",
        f"Like this: ```\n{WHOLE}\n```",
        f"- a list\n\n  ```\n  {WHOLE}\n  ```",
        f"~~~\n{WHOLE}\n~~~",
        f"````\n```\n{WHOLE}\n```\n````",
        f"`{WHOLE}`",
        f"``{WHOLE}``",
        f"Its `call is {A}{B}` in code",
        f'He wrote "{WHOLE}"',
        f'He wrote "a section: {WHOLE}"',
        f"He wrote '{WHOLE}'",
        f"He wrote '{A}{B}'",
        f"He wrote \u201c{A}\n{B}\u201d",
        f"> {WHOLE}",
        f"> a\n> {A}\n> {B}",
        f"    {WHOLE}",
        f"\t{WHOLE}",
        f"`{H}`",
        f"'{H}'",
        f"```\n{H}\n```",
    ],
)
@pytest.mark.parametrize("key", ["content", "reasoning_content"])
def test_a_quoted_call_does_not_run(text: str, key: str) -> None:
    reply = leaked(text, key)
    assert made(reply) == []
    assert (reply.message.text or reply.message.reasoning) == text


@pytest.mark.parametrize(
    "before",
    [
        "```\ncode\n```\n",
        "```\ncode\n```",
        'Here is `code` and "words".',
        "I'll look. It's there: ",
        "> quoted\n\n",
        "    code\n\n",
        f"`{BEGIN}` begins a call.\n\n",
        "~~~\n```\n~~~\n",
        "An open `tick on the line before.\n",
    ],
)  # fmt: skip
def test_a_call_behind_what_was_quoted_runs(before: str) -> None:
    reply = leaked(before + WHOLE)
    assert (made(reply), reply.message.text) == ([READ_A], before)


def test_with_structured_calls_the_leak_is_text() -> None:
    own = calls(call(0, "x", "run_tests", "{}"))
    for parts in ([chunk({"content": WHOLE}), own], [own, chunk({"content": WHOLE})]):
        reply = reply_of(*parts, chunk(finish="tool_calls"))
        assert (made(reply), reply.message.text) == ([("run_tests", "{}")], WHOLE)
    reply = reply_of(chunk({"reasoning_content": G}), own, chunk(finish="tool_calls"))
    assert (made(reply), reply.message.reasoning) == ([("run_tests", "{}")], G)


@pytest.mark.parametrize(
    ("text", "expected", "left"),
    [
        (G, [G_CALL], "I'll analyze… "),
        (f"{G} So.", [G_CALL], "I'll analyze…  So."),
        (H, [H_CALL], ""),
        (f"a\n{WHOLE}\nb", [READ_A], "a\n\nb"),
    ],
)
def test_a_call_in_the_reasoning_runs_and_is_taken_out_of_it(
    text: str, expected: list[tuple[str, str]], left: str
) -> None:
    reply = leaked(text, "reasoning_content")
    assert (made(reply), reply.message.reasoning, reply.finish) == (expected, left, "tool_calls")
    assert leaked(text, "reasoning").message == reply.message


def test_a_call_in_the_reasoning_of_a_reply_with_text_does_not_run() -> None:
    for more in ("The answer.", f"{BEGIN}functions.nothing:0{ARGUMENTS}{{}}{END}", "fun", "<|tool"):
        reply = reply_of(chunk({"reasoning_content": G}), chunk({"content": more}), chunk(finish="stop"))
        assert (made(reply), reply.message.reasoning, reply.message.text) == ([], G, more)


def test_a_call_in_the_reasoning_whose_end_leaked_into_the_content_runs() -> None:
    reply = reply_of(chunk({"reasoning_content": A}), chunk({"content": f"\n{END_SECTION}"}), chunk(finish="stop"))
    assert (made(reply), reply.message.reasoning, reply.message.text) == ([READ_A], "", "")


def test_the_calls_of_the_text_win_over_those_of_the_reasoning() -> None:
    reply = reply_of(chunk({"reasoning_content": G}), chunk({"content": WHOLE}), chunk(finish="stop"))
    assert (made(reply), reply.message.reasoning) == ([READ_A], G)


def test_details_that_hold_a_salvaged_call_do_not_go_back() -> None:
    piece = {"type": "reasoning.text", "text": G, "index": 0}
    reply = reply_of(chunk({"reasoning": G, "reasoning_details": [piece]}), chunk(finish="stop"))
    assert (made(reply), reply.message.reasoning) == ([G_CALL], "I'll analyze… ")
    assert reply.message.reasoning_details is None


def test_unsalvaged_reasoning_is_kept_to_the_byte_and_alone_it_is_malformed() -> None:
    text = G.replace("list_directory", "nothing")
    reply = leaked(text, "reasoning_content")
    assert (made(reply), reply.message.reasoning, reply.finish) == ([], text, "malformed")


@pytest.mark.parametrize(
    ("call_id", "name", "arguments", "expected"),
    [
        ("x", "functions.read_file", '{"path": "a"}', "read_file"),
        ("x", "functions.read_file:3", '{"path": "a"}', "read_file"),
        ("x", "functionsread_file", '{"path": "a"}', "read_file"),
        ("x", "call_functionsread_file6", '{"path": "a"}', "read_file"),
        ("functions.read_file:0", "", '{"path": "a"}', "read_file"),
        ("0", "", '{"text": "a"}', "channel_reply"),
        ("0", "", '{"nothing": "a"}', ""),
        ("functions.read_file:0", "read-file", '{"path": "a"}', "read-file"),
        ("functions.read_file:0", "delete_everything", '{"path": "a"}', "delete_everything"),
    ],
)
def test_a_structured_calls_damaged_name_is_mended_and_a_declared_or_unknown_one_is_not(
    call_id: str, name: str, arguments: str, expected: str
) -> None:
    reply = reply_of(calls(call(0, call_id, name, arguments)), chunk(finish="tool_calls"))
    assert made(reply) == [(expected, arguments)]


PIECES = st.lists(
    st.sampled_from(
        [SECTION, END_SECTION, BEGIN, END, "functions.read_file:0", "read_file:1", "0", '{"path": "a"}', " ", "\n", "`",
         "```", '"', "'", "> ", "<", "|", "<|tool_call", "<think>", "</think>", "word ", "    ", "{", "}", "é"]
    ),
    max_size=12,
)  # fmt: skip


def streamed(pieces: list[str], key: str, sizes: list[int]) -> tuple[ReplyDelta, tuple[str, str]]:
    text, at = "".join(pieces), 0
    parts: list[bytes] = []
    while at < len(text):
        size = sizes[len(parts) % len(sizes)]
        parts.append(chunk({key: text[at : at + size]}))
        at += size
    reply, deltas = decode([*parts, chunk(finish="stop"), DONE])
    return reply, shown(deltas)


@given(PIECES, st.lists(st.integers(1, 30), min_size=1, max_size=8), st.sampled_from(["content", "reasoning_content"]))
@settings(deadline=None)
def test_no_call_comes_of_a_text_without_the_argument_token(pieces: list[str], sizes: list[int], key: str) -> None:
    assert streamed(pieces, key, sizes)[0].message.tool_calls == ()


@given(
    st.lists(st.one_of(PIECES, st.just([ARGUMENTS]), st.just([WHOLE]), st.just([H])), max_size=6),
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
    st.sampled_from(["content", "reasoning_content"]),
)
@settings(deadline=None)
def test_any_cut_of_any_tangle_gives_one_reply_and_the_deltas_of_it(
    tangle: list[list[str]], sizes: list[int], key: str
) -> None:
    pieces = [piece for part in tangle for piece in part]
    reply, seen = streamed(pieces, key, sizes)
    assert reply == streamed(pieces, key, [10_000])[0] == streamed(pieces, key, [1])[0]
    message = reply.message
    untagged = key == "content" and message.reasoning is not None and not "".join(pieces).lstrip().startswith("<think>")
    if not untagged:
        assert seen == (message.reasoning or "", message.text)
