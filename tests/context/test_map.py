"""The map shows what was ranked, within its budget, and always the same."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.context.map import draw_map
from kcode.context.rank import RankedFile, RankedSymbol
from kcode.context.symbols import Symbol
from kcode.context.tokens import estimate_tokens
from tests.context.repository import draw
from tests.repositories import git, new_repository, write_tree

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """import os

LIMIT = 3


class Cart:
    size = 1

    def total(self):
        return 1

    def add(self, item):
        return item


def main():
    return Cart().total()
"""


def test_files_are_shown_with_signatures_in_source_order_and_where_they_stand(tmp_path: Path) -> None:
    found = draw(new_repository(tmp_path / "r", {"cart.py": TEXT, "x.txt": "cart\n"}), "the cart's total")
    assert found.text == (
        "cart.py:\n1-2: import os\n3-5: LIMIT = 3\n6-15: class Cart:\n  7: size = 1\n  9-10: def total(self):\n"
        "  12-13: def add(self, item):\n16-17: def main():\nx.txt\n"
    )
    assert found.tokens == estimate_tokens(found.text)
    assert [entry.path for entry in found.entries] == ["cart.py", "x.txt"]


def test_the_best_definition_comes_with_those_that_it_stands_in(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"cart.py": TEXT})
    text = "cart.py:\n1-2: import os\n6-15: class Cart:\n  9-10: def total(self):\n"
    assert draw(root, "the total", estimate_tokens(text)).text == text


def test_long_lines_are_cut(tmp_path: Path) -> None:
    root = new_repository(
        tmp_path / "r", {"a.py": f"def f({', '.join(f'argument_{n}' for n in range(30))}):\n    pass\n"}
    )
    assert max(map(len, draw(root, "f").text.splitlines())) <= 106


def test_a_name_stays_on_one_line(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"cart\nsrc.py": "x = 1\n", "cart.py": "def cart():\n    pass\n"})
    assert "cart␊src.py:\n" in draw(root, "cart").text


def symbol(number: int, depth: int, length: int) -> Symbol:
    return Symbol(f"f{number}", "function", number + 1, number + 1, depth, f"def f{number}({'x' * length}):")


FILES = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200), st.floats(0, 5)), max_size=60), max_size=12
).map(
    lambda files: [
        RankedFile(
            f"folder/file_{number}.py",
            tuple(RankedSymbol(symbol(at, depth, length), score) for at, (depth, length, score) in enumerate(rows)),
        )
        for number, rows in enumerate(files)
    ]
)


@given(FILES, st.integers(1, 3_000))
@settings(max_examples=80, deadline=None)
def test_the_budget_is_kept_and_the_order_too(files: list[RankedFile], tokens: int) -> None:
    found = draw_map(files, tokens)
    assert found.tokens == (estimate_tokens(found.text) if found.entries else 0) <= tokens
    assert [entry.path for entry in found.entries] == [file.path for file in files[: len(found.entries)]]
    for entry, file in zip(found.entries, files, strict=False):
        everything = [one.symbol for one in file.symbols]
        assert [one for one in everything if one in entry.symbols] == list(entry.symbols)
        assert bool(entry.symbols) == bool(everything)


def test_a_budget_with_room_for_all_shows_all() -> None:
    rows = tuple(RankedSymbol(symbol(number, 0, 5), 0.0) for number in range(200))
    found = draw_map([RankedFile("a.py", rows), RankedFile("b.py", rows)], 100_000)
    assert [len(entry.symbols) for entry in found.entries] == [200, 200]
    # Where not all fit, the first file has more than the second.
    less = draw_map([RankedFile(f"{number}.py", rows) for number in range(40)], 2_000)
    shown = [len(entry.symbols) for entry in less.entries]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) > 5


def test_nothing_ranked_or_no_room_gives_an_empty_map() -> None:
    assert draw_map([], 100).text == ""
    assert draw_map([RankedFile("a" * 200)], 5).entries == ()


def test_the_same_bytes_in_every_process_cold_and_warm(tmp_path: Path) -> None:
    files = {f"pkg/part{number}.py": TEXT.replace("Cart", f"Cart{number % 3}") for number in range(12)}
    root = new_repository(tmp_path / "r", files | {"web/a.ts": "export const total = () => 1\n", "README.md": "cart\n"})
    for number in range(4):
        write_tree(root, {f"pkg/part{number}.py": f"# cart {number}\n{TEXT}"})
        git(root, "commit", "-qam", f"Sum the total of cart {number}")
    write_tree(root, {"pkg/part9.py": "def total():\n    pass\n"})
    outputs = set()
    for seed in range(5):
        environment = os.environ | {
            "PYTHONHASHSEED": str(seed),
            "HOME": str(tmp_path),
            # The first three find no index, the others that of the third.
            "XDG_CACHE_HOME": str(tmp_path / f"cache{min(seed, 2)}"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        argv = [sys.executable, "-m", "kcode", "map", "--wait", "--json", "--for", "the cart's total, its sum and add"]
        done = subprocess.run(argv, cwd=root, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        outputs.add(done.stdout)
    assert len(outputs) == 1
