from __future__ import annotations

import pytest

from kcode.secrets import redact, remove_key

# Put together here, so that no scanner takes this file for a leak.
KINDS = {
    "moonshot": "sk-" + "aB3" * 16,
    "openrouter": "sk-or-v1-" + "0123456789abcdef" * 4,
    "moonshot key id": "ak-" + "abc123" * 4,
    "github": "ghp_" + "A1b2" * 9,
    "github fine": "github_pat_" + "A1b2_" * 8,
    "gitlab": "glpat-" + "A1b2" * 6,
    "slack": "xoxb-" + "123456789012-abcdef",
    "aws": "AKIA" + "ABCDEFGH12345678",
    "google": "AIza" + "A1b2C" * 7,
    "hugging face": "hf_" + "aB3" * 12,
    "groq": "gsk_" + "aB3" * 12,
    "npm": "npm_" + "aB3d" * 9,
    "stripe": "sk_live_" + "aB3d" * 6,
    "jwt": "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF",
}


@pytest.mark.parametrize("secret", KINDS.values(), ids=KINDS.keys())
def test_a_well_known_key_is_taken_out_wherever_it_stands(secret: str) -> None:
    for text in (secret, f"key={secret}", f'{{"k": "{secret}"}}', f"({secret}).", f"line\n{secret}\nline"):
        found = redact(text)
        assert secret not in found
        assert "[redacted]" in found


def test_the_live_key_is_taken_out_whatever_it_looks_like() -> None:
    assert redact("the key my-own_key! is wrong", "my-own_key!") == "the key [redacted] is wrong"
    assert remove_key("the key my-own_key! is wrong", "my-own_key!") == "the key [redacted] is wrong"


def test_a_placeholder_for_a_key_is_left_alone() -> None:
    assert redact("none of it", "none") == "none of it"
    assert redact("as it is", None) == "as it is"
    assert redact("as it is", "") == "as it is"


def test_a_private_key_and_passwords_in_headers_and_urls_are_taken_out() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    assert redact(f"a\n{begin}\nMIIE\n{end}\nb") == "a\n[redacted]\nb"
    assert redact("Authorization: Bearer abcdefghijklmnop1234") == "Authorization: Bearer [redacted]"
    assert redact("https://user:hunter22@host/x") == "https://user:[redacted]@host/x"


@pytest.mark.parametrize(
    "text",
    [
        "def task_sk_live(self): return ask-later",
        "sk-learn and scikit-learn",
        "https://example.org/a:b/c@d",
        "the bearer of bad news",
        "eyJust.a.sentence",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "commit 0123456789abcdef0123456789abcdef01234567",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text, "another-key") == text


def test_a_long_text_is_done_in_no_time() -> None:
    for text in (
        "sk-" * 200_000,
        "a:" * 200_000,
        "-----BEGIN PRIVATE KEY-----\n" * 2000,
        "https://" * 50_000,
        "eyJ" * 100_000,
    ):
        redact(text, "another-key")
