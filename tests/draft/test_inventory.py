"""What git ignores, in a copy: dependencies are shared, small build output is copied, caches and the rest left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.draft.files import FolderMount
from kcode.errors import DraftError
from tests.draft.test_copytree import linked_in, opened
from tests.repositories import changed_paths, new_repository, picture, run_over, text_file, write_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_dependency_folders_are_shared_and_ignored_files_copied_but_no_caches(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": ".venv/\nnode_modules/\n.env\n__pycache__/\n", "web/a.js": ""})
    write_tree(root, {".venv/bin/python": "", "web/node_modules/x/i.js": "x", ".env": "KEY=1", "__pycache__/a.pyc": ""})
    draft = opened(root)
    mount = draft.mount()
    assert isinstance(mount, FolderMount)
    assert mount.linked == (".git", ".venv", "web/node_modules")
    assert sorted(path.name for path in mount.source.iterdir()) == [".env", ".gitignore", "web"]
    assert [entry.path for entry in draft.entries("")] == [".env", ".gitignore", ".venv", "__pycache__", "web"]
    assert draft.read("web/node_modules/x/i.js") == text_file("x")
    with pytest.raises(DraftError, match="shares it"):
        draft.write(".venv/bin/python", text_file("no"), "write_file")
    assert draft.changes() == ()


@pytest.mark.parametrize(
    ("made", "linked"),
    [
        (".venv/bin/python", ".venv"),
        ("env/bin/python", "env"),
        ("web/node_modules/x/index.js", "web/node_modules"),
        (".tox/py311/x", ".tox"),
        ("vendor/autoload.php", "vendor"),
        ("Pods/Manifest", "Pods"),
        ("my-python/pyvenv.cfg", "my-python"),
        ("out/node_modules/x.js", "out/node_modules"),
        ("out/deep/python/pyvenv.cfg", "out/deep/python"),
    ],
)
def test_dependency_folders_are_shared(tmp_path: Path, made: str, linked: str) -> None:
    root = new_repository(tmp_path / "r", {"web/a.js": "", "a": "a"})
    write_tree(root, {made: "x", ".gitignore": f"/{linked.partition('/')[0]}\nnode_modules\n!/web\n"})
    draft = opened(root)
    assert linked_in(draft) == (".git", linked)
    assert not (tmp_path / "draft/copy" / linked).exists()
    with pytest.raises(DraftError, match="shares it"):
        draft.write(made, text_file("no"), "write_file")


def test_a_folder_that_hides_itself_is_shared_whole(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a": "a"})
    write_tree(root, {".venv/.gitignore": "*\n", ".venv/pyvenv.cfg": "", ".venv/bin/python": ""})
    draft = opened(root)
    assert linked_in(draft) == (".git", ".venv")
    assert not (tmp_path / "draft/copy/.venv").exists()


def test_small_build_output_is_copied_and_stays_writable_and_is_never_proposed(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "lib/\n", "a": "a"})
    write_tree(root, {"lib/index.js": "old", "lib/deep/x": "x", "lib/__pycache__/x.pyc": "c"})
    (root / "lib/alias").symlink_to("index.js")
    before = picture(root)
    draft = opened(root)
    assert linked_in(draft) == (".git",)
    script = "cat lib/index.js lib/alias lib/deep/x; ls -A lib; echo new > lib/index.js; rm -r lib/deep; touch lib/more"
    assert run_over(draft, script) == "oldoldxalias\ndeep\nindex.js\n"
    assert draft.settle("build") == ()
    assert draft.read("lib/index.js") == text_file("new\n")
    assert draft.read("lib/deep/x") is None
    draft.write("lib/own", text_file("own"), "write_file")
    assert run_over(draft, "cat lib/index.js; ls lib") == "new\nalias\nindex.js\nmore\nown\n"
    assert draft.settle("ls") == ()
    assert draft.changes() == ()
    assert draft.files() == [".gitignore", "a"]
    assert opened(root).settle("nothing") == ()
    assert picture(root) == before


def test_copied_build_output_follows_the_users_builds_where_the_draft_has_none_of_its_own(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "lib/\n"})
    write_tree(root, {"lib/a": "1", "lib/b": "1", "lib/c": "1"})
    draft = opened(root)
    run_over(draft, "echo own > lib/a")
    draft.settle("build")
    write_tree(root, {"lib/a": "2", "lib/b": "2"})
    (root / "lib/c").unlink()
    assert run_over(opened(root), "cat lib/a lib/b; ls lib") == "own\n2a\nb\n"


@pytest.mark.parametrize("much", ["files", "bytes"])
def test_large_build_output_is_left_out_and_what_a_build_makes_anew_is_kept(tmp_path: Path, much: str) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "target/\n", "a": "a"})
    write_tree(root, {"target/old": "old"} | {f"target/{n}": "" for n in range(2001 if much == "files" else 1)})
    if much == "bytes":
        with (root / "target/big").open("wb") as file:
            file.truncate((32 << 20) + 1)
    draft = opened(root)
    assert linked_in(draft) == (".git",)
    assert run_over(draft, "ls; mkdir target; echo new > target/out") == "a\n"
    assert draft.settle("build") == ()
    # Were it small by now, the user's build and the draft's own would be mixed.
    for path in (root / "target").iterdir():
        path.unlink()
    write_tree(root, {"target/other": "theirs"})
    assert run_over(opened(root), "ls target") == "out\n"
    assert opened(root).changes() == ()


def test_copied_build_output_that_grew_too_large_stays_as_it_is(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "target/\n", "a": "a"})
    write_tree(root, {"target/one": "1"})
    draft = opened(root)
    run_over(draft, "echo own > target/own")
    draft.settle("build")
    write_tree(root, {f"target/{n}": "" for n in range(2001)})
    assert run_over(draft, "ls target; cat target/one") == "one\nown\n1"
    assert draft.settle("ls") == ()


def test_what_a_changed_rule_no_longer_ignores_is_proposed(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {".gitignore": "lib/\n"})
    write_tree(root, {"lib/a": "1", "lib/b": "1"})
    draft = opened(root)
    run_over(draft, "echo own > lib/a; : > .gitignore")
    assert draft.settle("sh") == (".gitignore", "lib/a")
    assert changed_paths(draft.changes()) == [".gitignore", "lib/a"]
