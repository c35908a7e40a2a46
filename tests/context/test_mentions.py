from __future__ import annotations

import pytest

from kcode.context.mentions import find_mentions

PATHS = ["README.md", "src/app/main.py", "src/app/__init__.py", "src/db/__init__.py", "src/web/__init__.py",
         "src/x/__init__.py", "src/db/main.py", "pkg/server.go", "web/error-page.tsx", "Makefile", "a b/c d.py"]  # fmt: skip


@pytest.mark.parametrize(
    ("request_text", "paths"),
    [
        ("look at src/app/main.py.", ["src/app/main.py"]),
        ("see `./pkg/server.go`, please", ["pkg/server.go"]),
        ("in app/main.py", ["src/app/main.py"]),
        ("server.go panics", ["pkg/server.go"]),
        ("main.py", ["src/app/main.py", "src/db/main.py"]),
        ("every __init__.py", []),
        ("the Makefile and the server", []),
        ("(web/error-page.tsx)", ["web/error-page.tsx"]),
        (r"C:\work\pkg\server.go", ["pkg/server.go"]),
        ("nothing.py or /etc/passwd", []),
        ("first pkg/server.go then README.md", ["pkg/server.go", "README.md"]),
    ],
)
def test_paths(request_text: str, paths: list[str]) -> None:
    assert list(find_mentions(request_text, PATHS).paths) == paths


def test_places_in_stack_traces_bring_their_lines() -> None:
    trace = """Traceback (most recent call last):
  File "/home/ci/build/src/app/main.py", line 12, in <module>
    run()
  File "/home/ci/build/src/app/main.py", line 7, in run
  File "/usr/lib/python3/json/decoder.py", line 355, in raw_decode
goroutine 1: /go/src/x/pkg/server.go:88 +0x1d
    at Page (web/error-page.tsx:3:14)
"""
    found = find_mentions(trace, PATHS)
    assert found.paths == {
        "src/app/main.py": (7, 12),
        "pkg/server.go": (88,),
        "web/error-page.tsx": (3,),
    }


@pytest.mark.parametrize("piece", ["a", "a/", "a.", 'File "', "`", "a_", "x(", "./", "\\", "a.b:"])
def test_a_long_request_of_any_kind_is_read_in_a_moment(piece: str) -> None:
    # By the square of its length this would take minutes.
    assert find_mentions(piece * 50_000, PATHS).paths == {}


def test_identifiers_are_what_is_written_as_code() -> None:
    text = "Session.close() in `open_store` keeps HTTPServer and retryCount, but the session is closed. See flush(x)"
    assert find_mentions(text, ()).names == ("open_store", "close", "flush", "HTTPServer", "retryCount")
