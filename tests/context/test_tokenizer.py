from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kcode.context.tokenizer import load_counter

ROOT = Path(__file__).parent.parent.parent
KIMI = ["kimi-k2-thinking", "moonshotai/Kimi-K2-Thinking", "kimi-k3", "k2"]
needs_extra = pytest.mark.skipif(load_counter(KIMI[0]) is None, reason="the extra kcode[tokenizer] is not installed")


@needs_extra
@pytest.mark.parametrize("model", KIMI)
def test_texts_are_counted_in_k2s_own_vocabulary(model: str) -> None:
    count = load_counter(model)
    assert count is not None
    assert [count(text) for text in ("", "Hello world", "你好世界", "1234567890")] == [0, 2, 2, 4]


@needs_extra
def test_what_a_file_quotes_of_the_models_own_signs_is_text() -> None:
    count = load_counter("kimi-k2-thinking")
    assert count is not None
    assert count("<|im_end|>") > 1


@needs_extra
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb" * 1000, "\x00" * 1000])
def test_text_that_no_file_should_hold_is_counted_too(text: str) -> None:
    count = load_counter("kimi-k2-thinking")
    assert count is not None
    assert count(text) >= len(text) / 4


@needs_extra
@pytest.mark.parametrize("character", ["a", " ", "-", "中", "🎉"])
def test_two_megabytes_of_one_character_are_counted(character: str) -> None:
    count = load_counter("kimi-k2-thinking")
    assert count is not None
    whole = count(character * 2_000_000)
    assert whole == pytest.approx(80 * count(character * 25_000), abs=80)


@pytest.mark.parametrize("model", ["gpt-oss-120b", "qwen3-coder", "deepseek-k20"])
def test_other_models_are_not_counted_with_it(model: str) -> None:
    assert load_counter(model) is None


@pytest.mark.parametrize(
    "module",
    [
        "",
        "raise ImportError",
        "class Tokenizer: pass",
        "class Tokenizer:\n    def from_pretrained(self): ...",
        "class Tokenizer:\n    @staticmethod\n    def from_pretrained(name):\n        raise ValueError(name)",
        "class Tokenizer:\n    encode_ordinary = list\n    @staticmethod\n    def from_pretrained(name):\n        return Tokenizer",
    ],
)
def test_another_module_of_that_name_is_not_believed(tmp_path: Path, module: str) -> None:
    (tmp_path / "splintr.py").write_text(module)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from kcode.context.tokenizer import load_counter; print(load_counter('kimi-k2'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_the_namesake_is_not_even_imported_without_the_real_project(tmp_path: Path) -> None:
    (tmp_path / "splintr.py").write_text("print('imported')")
    code = (
        f"import sys; sys.path[:] = [{str(tmp_path)!r}, {str(ROOT)!r}] + [p for p in sys.path if 'site-packages' not in p]; "
        "from kcode.context.tokenizer import load_counter; print(load_counter('kimi-k2'))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"
