"""Estimate tokens without a tokenizer, and know what still fits the window."""

from __future__ import annotations

import re

# How K2's vocabulary cuts text, roughly: words at eight letters or a capital, with the dot or underscore before them;
# digits by three; signs by three, with the line end behind them; white space, with one blank apart before a digit.
# Letters of other scripts by one, two or three, as their words are known to it. Against the vocabulary itself this was
# -10 % to +15 % on source code, diffs, listings, lock files, JSON, logs and hex dumps, -17 % on base64, and within 20 %
# on prose in a dozen languages.
_BLANK = r"[ \t\r\v\f]"
_PIECE = re.compile(
    r"[._]?[A-Z]?[a-z]{1,8}|[A-Z]{1,3}"
    r"|[0-9]{1,3}"
    r"|[!-/:-@\[-`{-~]{1,3}\n*"
    rf"|(?:{_BLANK}{{0,128}}\n){{1,16}}|{_BLANK}{{1,128}}(?=[ \t][0-9])|[ \t](?=[0-9])|{_BLANK}{{2,128}}"
    r"|[\u0400-\u04ff]{1,3}|[\u0370-\u03ff\u0590-\u0dff]{1,2}|[\u3040-\u309f]{1,2}|[\u3400-\u9fff]{1,2}|[\x0e-\x1f]|[^\t-~]"
)
# All pieces of a text at once take some thirty times the memory that it does.
_SLICE = 1 << 16
_EMOJI = re.compile(r"[\U00010000-\U0010ffff]")
_FOUR_HAN = re.compile(r"[\u3400-\u9fff]{4}")
_ACCENTED = re.compile(r"[a-zA-Z][ß-ɏ]")


def estimate_tokens(text: str) -> int:
    """About how many tokens the text has; errs to the high side, mostly by less than a tenth."""
    return sum(_estimate(text[at : at + _SLICE]) for at in range(0, len(text), _SLICE)) + 1


def _estimate(text: str) -> int:
    pieces = len(_PIECE.findall(text))
    if text.isascii():
        return pieces
    # An emoji is three tokens, and not all Chinese words are in the vocabulary. Where accents are many, the words are not
    # English, and cut finer.
    finer = 2 * len(_EMOJI.findall(text)) + len(_FOUR_HAN.findall(text)) // 4
    return pieces + finer + min(4 * len(_ACCENTED.findall(text)), pieces // 8)


def output_reserve(window: int) -> int:
    """Tokens of the window that are kept for the reply: 16K, as the model's makers advise, or a quarter of a small one."""
    return min(16_384, window // 4)
