"""The plain search's own program: a job as JSON on stdin, matches as JSON on stdout. It imports nothing of kcode."""

from __future__ import annotations

import json
import re
import sys
from itertools import islice
from pathlib import Path
from typing import Any

_LARGEST_FILE = 10 * 1024 * 1024


def main() -> int:
    """Search the job's files; 2 stands for a pattern that is not valid, with the reason on stderr."""
    job = json.load(sys.stdin)
    try:
        pattern = re.compile(job["pattern"], re.IGNORECASE if job["ignore_case"] else 0)
    except re.error as error:
        sys.stderr.write(str(error))
        return 2
    found: list[list[Any]] = []
    hits = 0
    for path, file in job["files"]:
        matches = _matches_in(path, _lines_of(Path(file)), pattern, job["context"], job["limit"] + 1 - hits)
        found += matches
        hits += sum(not match[-1] for match in matches)
        if hits > job["limit"]:
            break
    sys.stdout.write(json.dumps(found))
    return 0


def _lines_of(file: Path) -> list[str]:
    """The lines of a text file without their ends; none for what is no such file, is binary or above 10 MB."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _LARGEST_FILE:
            return []
        data = file.read_bytes()
    except OSError:
        return []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    elif b"\0" in data:
        return []
    else:
        text = data.decode("utf-8", "replace")
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _matches_in(path: str, lines: list[str], pattern: re.Pattern[str], context: int, most: int) -> list[list[Any]]:
    matching = ((index, hit) for index, line in enumerate(lines) if (hit := pattern.search(line)))
    hits = dict(islice(matching, most))
    around = {index for hit in hits for index in range(max(0, hit - context), min(len(lines), hit + context + 1))}
    return [
        [path, index + 1, lines[index], _byte_offset(lines[index], hits.get(index)), index not in hits]
        for index in sorted(around)
    ]


def _byte_offset(line: str, hit: re.Match[str] | None) -> int:
    return len(line[: hit.start()].encode(errors="replace")) if hit else 0


if __name__ == "__main__":
    sys.exit(main())
