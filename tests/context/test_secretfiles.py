from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.context.secretfiles import (
    allow_files,
    holds_secret,
    is_named_as_secret,
    is_private_key,
    mask_values,
    secret_digests,
    secret_values,
    text_digest,
)
from kcode.errors import UsageError

# In two parts, so that no scanner of secrets takes this for one.
KEY = b"-----BEGIN RSA " + b"PRIVATE KEY-----\nMIIE\n-----END RSA " + b"PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "path",
    [".env", "a/.env.local", ".ENV", "prod.env", "id_rsa", "keys/id_ed25519", "tls/server.pem", "server.key", ".npmrc",
     ".pypirc", ".netrc", ".git-credentials", "credentials", "conf/credentials.json", "client_secret_1.apps.json",
     "service-account.json", "secrets.yaml", "secrets.prod.yml", "terraform.tfvars", "terraform.tfstate", "a.p12", "a.jks",
     "x.kdbx", ".aws/config", ".kube/config", "home/.docker/config.json", ".vault_pass", "backup.gpg"],
)  # fmt: skip
def test_names_of_files_that_hold_secrets(path: str) -> None:
    assert is_named_as_secret(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", ".env.sample", ".env.template", "example.env", "env.py", "environment.md", "credentials.py", "secrets.py",
     "src/secrets/__init__.py", "id_rsa.pub", "keys.py", "keyboard.js", "monkey.go", "config", "git/config.json", "server.pub.pem",
     "config/credentials.rb", "token.py", "secret_santa.js", ".envoy", "tsconfig.json"],
)  # fmt: skip
def test_names_of_files_that_do_not(path: str) -> None:
    assert not is_named_as_secret(path)


def test_settings_of_package_managers_are_kept_only_with_a_secret_in_them() -> None:
    assert not holds_secret(".npmrc", b"registry=https://registry.example.org\nsave-exact=true\n")
    assert holds_secret("web/.npmrc", b"//registry.example.org/:_authToken=abc\n")
    assert holds_secret(".pypirc", b"[pypi]\nusername = u\npassword = p\n")
    assert not holds_secret(".pypirc", b"[pypi]\nusername = u\n")


def test_a_private_key_is_known_under_any_name_and_a_certificate_or_source_about_one_is_none() -> None:
    assert holds_secret("notes.txt", b"\n" + KEY)
    assert is_private_key(KEY.replace(b"\n", b"\r\n"))
    assert not is_private_key(KEY.replace(b"PRIVATE", b"PUBLIC"))
    assert not is_private_key(b"KEY = '''" + KEY + b"'''\n")
    assert not is_private_key(b"-----BEGIN " * 100_000)


@given(st.binary(max_size=200))
def test_a_copy_is_known_again_whatever_its_line_ends(data: bytes) -> None:
    known = secret_digests([".env"], lambda _: data)
    assert known <= {text_digest(data.replace(b"\r\n", b"\n")), text_digest(b"\n" + data)}
    assert bool(known) == (len(data) >= 8)


def test_what_the_user_allows_is_what_the_patterns_name() -> None:
    allowed = allow_files([".env.test", "deploy/*.pem"])
    for path in (".env.test", "web/.env.test", "deploy/a.pem"):
        assert path in allowed
    for path in (".env", ".env.test.local", "a.pem", "x/deploy/a.pem"):
        assert path not in allowed
    assert ".env" not in allow_files([])
    with pytest.raises(UsageError, match="--allow-secret: "):
        allow_files(["{a"])


def test_what_an_example_says_as_well_is_no_secret() -> None:
    assert secret_digests([".env", ".env.example"], lambda _: b"PASSWORD=change-me\n") == frozenset()


ENV = b"""# local
export API_KEY='k-1234567890'
DB_PASSWORD="pass word,1"
POSTGRES_PASSWORD=postgres
PORT_KEY=80
DEBUG=true-for-now
AUTH_TOKEN = k-1234567890-and-more\r
"""


def test_the_values_of_secret_settings_are_known_and_plain_words_are_not() -> None:
    assert secret_values({".env": ENV}) == ("k-1234567890-and-more", "k-1234567890", "pass word,1")
    assert secret_values({"settings.py": ENV}) == ()
    assert secret_values({".env": ENV, ".env.example": b"API_KEY=k-1234567890"}) == (
        "k-1234567890-and-more",
        "pass word,1",
    )
    assert secret_values({"secrets.json": b'{\n  "api_token": "t-12345678",\n  "name": "n-12345678"\n}'}) == (
        "t-12345678",
    )
    key = KEY.replace(b"MIIE", b"MIIE" * 15 + b"MI42")
    assert secret_values({"deploy": key}) == ("MIIE" * 15 + "MI42",)


def test_of_two_values_the_longer_is_masked_first() -> None:
    values = secret_values({".env": ENV})
    assert (
        mask_values("x k-1234567890-and-more y k-1234567890", values) == "x [kept back by kcode] y [kept back by kcode]"
    )


@given(st.binary(max_size=300))
def test_no_file_makes_it_fail_or_masks_what_is_short(data: bytes) -> None:
    assert all(len(one.encode()) >= 8 for one in secret_values({".env": b"KEY=" + data, "a.pem": data}))
