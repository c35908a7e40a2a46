"""What a request puts first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.context.repository import order, rank
from tests.repositories import git, new_repository, write_tree

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "shop/cart.py": "class Cart:\n    def total(self):\n        return sum(self.prices)\n\n    def add_item(self, item):\n"
    "        self.items.append(item)\n",
    "shop/payment.py": "def charge(card, amount):\n    # the total of the cart\n    return card.pay(amount)\n",
    "shop/stock.py": "def reserve(item):\n    return item\n",
    "tests/test_cart.py": "def test_total():\n    assert cart.total() == 1 and cart.total() and Cart\n",
    "docs/cart.md": "The cart has a total. Cart, total, cart, total.\n",
    "setup.cfg": "[metadata]\n",
}


def test_names_and_paths_outweigh_text_and_source_outweighs_tests_and_documents(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    found = order(root, "the total of a cart is wrong")
    assert found[0] == "shop/cart.py"
    assert found.index("shop/payment.py") < found.index("docs/cart.md")


def test_a_request_about_tests_raises_them(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    plain, asked = order(root, "cart total"), order(root, "the tests of the cart total")
    assert asked.index("tests/test_cart.py") <= plain.index("tests/test_cart.py")


def test_a_path_comes_first_in_the_order_of_the_request(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    assert order(root, "compare setup.cfg with shop/stock.py for the cart total")[:2] == ["setup.cfg", "shop/stock.py"]


def test_a_line_of_a_stack_trace_puts_its_definition_on_top(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    trace = (
        'Traceback (most recent call last):\n  File "/srv/app/shop/cart.py", line 6, in add_item\nAttributeError: items'
    )
    first = rank(root, trace)[0]
    assert first.path == "shop/cart.py"
    assert max(first.symbols, key=lambda one: one.score).symbol.name == "add_item"


def test_an_identifier_brings_the_file_that_defines_it(tmp_path: Path) -> None:
    root = new_repository(
        tmp_path / "r", FILES | {"shop/use.py": "cart.add_item(1)\ncart.add_item(2)\nadd_item = 0\n"[:34]}
    )
    found = rank(root, "why does `add_item` keep the wrong reserve?")
    assert found[0].path == "shop/cart.py"
    assert max(found[0].symbols, key=lambda one: one.score).symbol.name == "add_item"


def test_what_is_not_committed_comes_before_what_only_fits(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    write_tree(root, {"shop/stock.py": "def reserve(item, count):\n    return item\n", "scratch.txt": "note\n"})
    assert set(order(root, "cart total")[:2]) == {"shop/stock.py", "scratch.txt"}
    assert order(root, "cart total in shop/payment.py")[0] == "shop/payment.py"


def test_commits_with_similar_messages_bring_what_they_changed(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    write_tree(root, {"shop/stock.py": "def reserve(item):\n    return [item]\n"})
    git(root, "commit", "-qam", "Voucher codes expire at midnight")
    assert order(root, "voucher codes expire too early")[0] == "shop/stock.py"


def test_without_a_request_it_is_what_changes_and_what_is_large(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES | {"shop/big.py": "word = other + thing\n" * 200})
    for number in range(3):
        write_tree(root, {"shop/stock.py": f"def reserve(item):\n    return {number}\n"})
        git(root, "commit", "-qam", "more")
    found = order(root, "")
    assert found[0] == "shop/stock.py"
    assert found.index("shop/big.py") < found.index("shop/payment.py")
    assert set(found) == set(FILES) | {"shop/big.py"}


def test_requests_in_other_scripts_and_of_no_words_are_answered(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES | {"shop/zh.py": "# 购物车总价计算\nX = 1\n", "shop/empty.py": ""})
    assert order(root, "购物车的总价错了")[0] == "shop/zh.py"
    assert "shop/cart.py" in order(root, "??? the 42")
    assert "shop/cart.py" in order(root, "\udcff \x00 cart")


def test_a_repository_without_files_has_no_ranking(tmp_path: Path) -> None:
    assert order(new_repository(tmp_path / "r", {}), "anything") == []
