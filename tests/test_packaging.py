"""What is built holds what the checkout holds, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ("tools", "prompts")
LITTER = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "_share"}


def build(source: Path, target: Path, kind: str) -> Path:
    """Build with the backend itself, which needs no network."""
    code = f"import sys, hatchling.build as backend; print(backend.build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


def files_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and not LITTER & set(path.parts))
    return sorted(path.relative_to(folder).as_posix() for path in found)


def differences(wheel: list[str], source: Path) -> list[str]:
    """What a wheel lacks of a checkout, and what it has too much."""
    wanted = {f"kcode/{name}" for name in files_below(source / "kcode")}
    wanted |= {f"kcode/_share/{folder}/{name}" for folder in SHARED for name in files_below(source / folder)}
    packed = {name for name in wheel if not name.split("/")[0].endswith(".dist-info")}
    return sorted([f"missing: {name}" for name in wanted - packed] + [f"strange: {name}" for name in packed - wanted])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The checkout's wheel and sdist."""
    target = tmp_path_factory.mktemp("built")
    return build(ROOT, target, "wheel"), build(ROOT, target, "sdist")


def test_the_wheel_holds_the_package_and_both_folders(built: tuple[Path, Path]) -> None:
    names = files_of(built[0])
    assert differences(names, ROOT) == []
    assert "kcode/_share/tools/read_file.py" in names
    assert "kcode/_share/prompts/system.md" in names
    assert "kcode/_demo/replies.jsonl" in names
    assert "kcode/py.typed" in names
    # hatch would take a force-included package for one that is importable.
    assert not [name for name in names if name.startswith("kcode/_share/") and name.endswith("__init__.py")]


def test_the_sdist_gives_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    wheel, sdist = built
    subprocess.run(["tar", "-xzf", sdist, "-C", tmp_path], check=True)
    (unpacked,) = tmp_path.iterdir()
    assert not [name for name in files_below(unpacked) if name.startswith((".venv", ".git/", "dist", "build"))]
    assert files_below(unpacked / "tests") == files_below(ROOT / "tests")
    assert files_of(build(unpacked, tmp_path, "wheel")) == files_of(wheel)


def test_an_installed_wheel_finds_its_folders(built: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.unpack_archive(built[0], tmp_path, "zip")
    code = (
        "from kcode.share import shared; from kcode.tooling import load_tools; from kcode.prompts import render_prompt\n"
        "print(shared('tools')); print(*load_tools([shared('tools')])); print(shared('prompts') / 'system.md')"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    folder, tools, prompt = done.stdout.splitlines()
    assert Path(folder) == tmp_path / "kcode" / "_share" / "tools"
    assert tools.split() == [path.stem for path in sorted((ROOT / "tools").glob("*.py"))]
    assert Path(prompt).read_text(encoding="utf-8") == (ROOT / "prompts" / "system.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("lost", ["kcode/_share/tools/read_file.py", "kcode/_share/prompts/fix.md", "kcode/py.typed"])
def test_a_file_that_is_missing_or_too_many_is_found(built: tuple[Path, Path], lost: str) -> None:
    names = files_of(built[0])
    assert lost in names
    assert differences([name for name in names if name != lost], ROOT) == [f"missing: {lost}"]
    assert differences([*names, "kcode/_share/tools/__pycache__/x.pyc", "tests/x.py"], ROOT) == [
        "strange: kcode/_share/tools/__pycache__/x.pyc",
        "strange: tests/x.py",
    ]


def test_an_include_that_is_left_out_is_found(tmp_path: Path) -> None:
    for folder in ("kcode", *SHARED):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns(*LITTER))
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    include = '"prompts" = "kcode/_share/prompts"\n'
    assert include in settings
    (tmp_path / "pyproject.toml").write_text(settings.replace(include, ""), encoding="utf-8")
    found = differences(files_of(build(tmp_path, tmp_path, "wheel")), tmp_path)
    assert found == [f"missing: kcode/_share/prompts/{name}" for name in files_below(ROOT / "prompts")]
