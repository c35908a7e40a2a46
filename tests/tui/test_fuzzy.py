from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.tui.fuzzy import Candidates, match

PATHS = [
    "billing/invoice.py",
    "billing/money.py",
    "tests/test_invoice.py",
    "docs/INVOICES.md",
    "billing/views/InvoiceList.tsx",
    "setup.cfg",
    "文档/发票.md",
]
names = st.text(st.sampled_from("abcAB/_.-^]\\[& 文İ\n"), max_size=12)


def best(query: str) -> list[str]:
    return [PATHS[found.index] for found in Candidates(PATHS).rank(query)]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("invoice", "billing/invoice.py"),
        ("tinv", "tests/test_invoice.py"),
        ("il", "billing/views/InvoiceList.tsx"),
        ("bm", "billing/money.py"),
        ("setup", "setup.cfg"),
        ("发票", "文档/发票.md"),
        ("docs/", "docs/INVOICES.md"),
    ],
)
def test_what_was_meant_comes_first(query: str, path: str) -> None:
    assert best(query)[0] == path


def test_nothing_typed_gives_the_first_ones_and_nonsense_gives_none() -> None:
    assert [found.index for found in Candidates(PATHS).rank("", most=2)] == [0, 1]
    assert best("zzz") == []


@given(names, st.lists(names, max_size=8))
def test_all_that_hold_the_characters_in_order_are_found_and_no_others(query: str, texts: list[str]) -> None:
    found = Candidates(texts).rank(query, most=100)
    fold = [re.sub("\n", " ", "".join(c.lower() if len(c.lower()) == 1 else c for c in text)) for text in texts]
    wanted = re.sub("\n", " ", "".join(c.lower() if len(c.lower()) == 1 else c for c in query))
    holding = {i for i, text in enumerate(fold) if re.search(".*?".join(map(re.escape, wanted)), text)}
    assert {one.index for one in found} == holding
    for one in found:
        assert "".join(fold[one.index][at] for at in one.positions) == (wanted if one.positions else "")


@given(names.filter(bool), names)
def test_a_score_does_not_depend_on_the_company(query: str, text: str) -> None:
    wanted = Candidates([text]).rank(query)
    assert wanted == [one for one in Candidates([text, "zz"]).rank(query) if one.index == 0]
    if wanted:
        assert match(query.lower().replace("\n", " "), text) is not None or not query.isascii()


def test_twenty_thousand_files_give_the_one_that_was_meant() -> None:
    paths = [f"package{i % 40}/module{i}/part_{i % 7}.py" for i in range(20_000)]
    paths.append("billing/invoice_totals.py")
    assert paths[Candidates(paths).rank("invtot")[0].index] == "billing/invoice_totals.py"
