"""Take keys out of text that is kept or shown."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

# A key alone, by the marks that its issuer gives it. `sk-` covers Moonshot, OpenRouter (`sk-or-`), OpenAI and others.
_KEYS = re.compile(
    r"""
      \bsk-[A-Za-z0-9_-]{16,}
    | \bak-[A-Za-z0-9]{16,}                             # Moonshot's own key ids, as its error texts show them
    | \b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}            # Stripe
    | \bgh[pousr]_[A-Za-z0-9]{30,}                      # GitHub
    | \bgithub_pat_[A-Za-z0-9_]{30,}
    | \bglpat-[A-Za-z0-9_-]{20,}                        # GitLab
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,}                  # Slack
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                     # AWS
    | \bAIza[0-9A-Za-z_-]{35}                           # Google
    | \bya29\.[0-9A-Za-z_-]{20,}
    | \bhf_[A-Za-z0-9]{30,}                             # Hugging Face
    | \bgsk_[A-Za-z0-9]{30,}                            # Groq
    | \bnpm_[A-Za-z0-9]{36}
    | \bpypi-[A-Za-z0-9_-]{50,}
    | \bdop_v1_[0-9a-f]{64}                             # DigitalOcean
    | \bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}      # SendGrid
    | \beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}   # a JSON web token
    """,
    re.VERBOSE,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?P<kind>(?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?)-----.*?-----END (?P=kind)-----", re.DOTALL
)
_BEARER = re.compile(r"(?i)\b(?P<head>(?:authorization\s*[:=]\s*)?(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{16,}")
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)")

_SHORTEST_KEY = 6


def remove_key(text: str, key: str | None) -> str:
    """The text with the live key replaced, and nothing else changed.

    A live key shorter than six characters is a placeholder such as `none`, and is left alone.
    """
    return text.replace(key, REDACTED) if key and len(key) >= _SHORTEST_KEY else text


def redact(text: str, key: str | None = None) -> str:
    """The text with the live key, and whatever is a well-known kind of key, replaced by `[redacted]`."""
    text = _PRIVATE_KEY.sub(REDACTED, remove_key(text, key))
    text = _KEYS.sub(REDACTED, text)
    text = _BEARER.sub(rf"\g<head>{REDACTED}", text)
    return _URL_PASSWORD.sub(rf"\g<head>{REDACTED}", text)
