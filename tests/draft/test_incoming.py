from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.gitformat import is_git_folder, quote, unquote
from kcode.draft.hunks import choose, propose
from kcode.draft.incoming import read_patch
from kcode.draft.patch import render_patch
from kcode.errors import DraftError
from tests.draft.trees import Tree, changes, edits, fits, git, look, ordinary, put, texts

if TYPE_CHECKING:
    from pathlib import Path


def text(data: bytes, mode: int = REGULAR) -> FileState:
    return FileState(mode, data)


def read_one(patch: bytes, before: bytes, path: str = "f") -> bytes:
    (change,) = read_patch(patch, {path: text(before)}.get)
    assert change.path == path
    assert change.after
    return change.after.data


def applied(before: Tree, patch: bytes) -> Tree:
    after = dict(before)
    for change in read_patch(patch, before.get):
        assert change.before == before.get(change.path)
        after.pop(change.path, None)
        if change.after:
            after[change.path] = change.after
    return after


@settings(max_examples=150, deadline=None)
@given(edits())
@example(({"x b/x": text(b"")}, {"x b/x": text(b"", EXECUTABLE)}))
@example(({"a": text(b"1\n2")}, {"b": text(b"1\n2")}))
def test_our_own_patch_gives_back_what_it_was_made_from(edit: tuple[Tree, Tree]) -> None:
    before, after = edit
    proposal = propose(changes(before, after))
    if proposal and fits(before) and fits(after):
        assert applied(before, render_patch(proposal)) == after


@settings(max_examples=60, deadline=None)
@given(texts, texts, st.data())
def test_the_patch_of_some_hunks_gives_those_hunks(before: bytes, after: bytes, data: st.DataObject) -> None:
    proposal = propose([Change("f", text(before), text(after))])
    ids = [hunk.id for change in proposal.changes for hunk in change.hunks] or ["f"]
    part = choose(proposal, data.draw(st.sets(st.sampled_from(ids))))
    for change in part.changes:
        assert applied({"f": text(before)}, render_patch(part)) == {"f": change.after}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits(), st.sampled_from([(), ("-M50%",), ("--no-prefix",), ("--src-prefix=i/", "--dst-prefix=w/"), ("-U1",)]))
def test_gits_own_patch_gives_what_git_would_write(
    tmp_path: Path, edit: tuple[Tree, Tree], options: tuple[str, ...]
) -> None:
    before, after = edit
    if not fits(before) or not fits(after) or before == after:
        return
    assert applied(before, git_diff(tmp_path, before, after, *options)) == after


def git_diff(folder: Path, before: Tree, after: Tree, *options: str) -> bytes:
    for name in ("was", "is"):
        shutil.rmtree(folder / name, ignore_errors=True)
    put(folder / "was", before)
    put(folder / "is", after)
    git(folder / "was", "init", "-q")
    git(folder / "was", "add", "-fA", ".")
    tree = git(folder / "was", "write-tree").decode().strip()
    shutil.move(folder / "was/.git", folder / "is/.git")
    git(folder / "is", "add", "-fA", ".")
    return git(folder / "is", "diff", "--cached", "--binary", *options, tree)


def test_a_series_of_mails_with_signatures_is_read(tmp_path: Path) -> None:
    before, after = ordinary()
    work = tmp_path / "work"
    put(work, before)
    commit = ("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm")
    git(work, "init", "-q")
    git(work, "add", "-A")
    git(work, *commit, "first")
    shutil.move(work / ".git", tmp_path / "git")
    shutil.rmtree(work)
    put(work, after)
    shutil.move(tmp_path / "git", work / ".git")
    git(work, "add", "-A")
    git(work, *commit, "second\n\nindex of it\nrename from here\n - one point\n + another")
    (work / "mode").write_bytes(b"x\ny\n")
    git(work, *commit, "third", "-a")
    mails = git(work, "format-patch", "--stdout", "--binary", "HEAD~2")
    shown = git(work, "log", "-p", "--reverse", "--binary", "-2", "--stat")
    assert applied(before, mails) == applied(before, shown) == look(work)


def test_a_binary_delta_is_applied(tmp_path: Path) -> None:
    data = b"\0" + os.urandom(100_000)
    before = {"f": text(data)}
    after = {"f": text(data[:50_000] + b"in the middle" + data[50_000:99_000])}
    patch = git_diff(tmp_path, before, after)
    assert b"\ndelta " in patch
    assert applied(before, patch) == after
    with pytest.raises(DraftError, match="not the file that the binary patch was made from"):
        read_patch(patch, {"f": text(b"\0other")}.get)


@pytest.mark.skipif(shutil.which("diff") is None, reason="needs diff")
def test_plain_diffs_of_two_folders_are_read(tmp_path: Path) -> None:
    before = {"same": text(b"x\n"), "dir/f": text(b"1\n2\n3"), "gone": text(b"gone\n"), "sp ace": text(b"a\n")}
    after = {"same": text(b"x\n"), "dir/f": text(b"1\nII\n3\n"), "new/n": text(b"new\n"), "sp ace": text(b"b\n")}
    put(tmp_path / "old", before)
    put(tmp_path / "new", after)
    made = subprocess.run(["diff", "-ruN", "old", "new"], cwd=tmp_path, capture_output=True, check=False)
    # A file that is new or gone has no name here that tells which folder stands in front of it.
    patch = made.stdout.replace(b" new/", b" b/").replace(b" old/", b" a/")
    assert applied(before, patch) == after
    one = subprocess.run(["diff", "-u", "old/dir/f", "new/dir/f"], cwd=tmp_path, capture_output=True, check=False)
    assert read_one(one.stdout, b"1\n2\n3", "dir/f") == b"1\nII\n3\n"
    assert (
        read_one(one.stdout.replace(b"old/dir/f", b"f.orig").replace(b"new/dir/f", b"f"), b"1\n2\n3") == b"1\nII\n3\n"
    )


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"line %d\n" % i for i in range(first, last))


PATCH = render_patch(
    propose([Change("f", text(numbered(0, 40)), text(numbered(0, 40).replace(b"line 20\n", b"TWENTY\n")))])
)


def test_a_hunk_finds_its_lines_where_they_moved_to_if_there_is_one_such_place() -> None:
    moved = b"more\n" * 100 + numbered(5, 40)
    assert read_one(PATCH, moved) == moved.replace(b"line 20\n", b"TWENTY\n")


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (numbered(0, 19), "does not hold the lines"),
        (numbered(0, 40).replace(b"line 22\n", b"line 22 \n"), "does not hold the lines"),
        (numbered(0, 40).replace(b"\n", b"\r\n"), "does not hold the lines"),
        (b"x\n" + numbered(0, 40) * 2, "in 2 other places"),
    ],
)
def test_a_hunk_without_its_one_place_is_refused_by_number_and_line(before: bytes, reason: str) -> None:
    with pytest.raises(DraftError, match=rf"Hunk 1 of f \(line 18\) does not apply: .*{reason}"):
        read_one(PATCH, before)


def test_a_hunk_for_the_end_of_a_file_is_not_put_into_its_middle() -> None:
    patch = render_patch(propose([Change("f", text(numbered(0, 5)), text(numbered(0, 5) + b"end\n"))]))
    with pytest.raises(DraftError, match="does not apply"):
        read_one(patch, numbered(0, 9))
    patch = render_patch(propose([Change("f", text(numbered(0, 5)), text(b"top\n" + numbered(0, 5)))]))
    with pytest.raises(DraftError, match="does not apply"):
        read_one(patch, b"more\n" + numbered(0, 5))


HEAD = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n"


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"no patch at all\n",
        HEAD,
        HEAD + b"@@ -1 +1 @@\n-a\n",
        HEAD + b"@@ -1 +1 @@\n-a\n+b\n+c\n",
        HEAD + b"@@ -1 +1 @@\n-a\n+b\n context\n",
        HEAD + b"@@ -1 +1 @@\n-a\n+b\n-- x\n",
        HEAD + b"@@ -1,2 +1 @@\n-a\n+b\n",
        HEAD + b"@@ nonsense\n-a\n+b\n",
        HEAD + b"@@@ -1 -1 +1 @@@\n--a\n++b\n",
        HEAD + b"@@ -1 +1 @@\n-a\nb\n",
        HEAD + b"@@ -0,0 +0,0 @@\n",
        HEAD + b"@@ -1,0 +2 @@\n+behind\n",
        b"@@ -1 +1 @@\n-a\n+b\n",
        b"diff --git a/f b/g\n--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n",
        b"diff --git a/f b/f\nrename from f\nrename to g\n--- a/f\n+++ b/h\n@@ -1 +1 @@\n-a\n+b\n",
        b"diff --git a/f b/f\nold mode 100644\nnew mode 160000\n",
        b"diff --git a/f b/f\nold mode 100644\nnew mode 120000\n",
        b"diff --git a/f b/f\nold mode 100644\nnew mode zz\n",
        b"diff --git a/f b/f\nnew file mode 100644\n",
        b"diff --git a/f b/f\ndeleted file mode 100644\n",
        b"diff --git a/none b/none\nold mode 100644\nnew mode 100755\n",
        b"diff --git a/f b/f\nindex 1..2 100644\nBinary files a/f and b/f differ\n",
        b"diff --git a/f b/f\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n",
        b"diff --git a/f b/f\nGIT binary patch\n\n",
        b'diff --git "a/f b/f\n--- "a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n',
        b'--- "a/\\q"\n+++ "b/\\q"\n@@ -1 +1 @@\n-a\n+b\n',
        b"--- a/none\n+++ b/none\n@@ -1 +1 @@\n-a\n+b\n",
        (
            b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n"
            b"diff --git a/l/x b/l/x\nnew file mode 100644\n--- /dev/null\n+++ b/l/x\n@@ -0,0 +1 @@\n+x\n"
        ),
    ],
)
def test_a_patch_that_a_lenient_reader_would_guess_at_is_refused(patch: bytes) -> None:
    with pytest.raises(DraftError):
        read_patch(patch, {"f": text(b"a\n")}.get)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd", "../f", "a/../../f", "a//f", "a/./f", ".git/config", "sub/.GIT/hooks/x", "git~1/config",
        ".g\u200cit/config", ".git", ".git /x", ".git./x", ".git::$INDEX_ALLOCATION/x",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_workspace_or_into_git(name: str) -> None:
    asked: list[str] = []

    def read(path: str) -> FileState | None:
        asked.append(path)
        return text(b"a\n")

    spelled = name.encode()
    body = b"@@ -1 +1 @@\n-a\n+b\n"
    for patch in (
        b"diff --git a/" + spelled + b" b/" + spelled + b"\n--- a/" + spelled + b"\n+++ b/" + spelled + b"\n" + body,
        b"--- " + spelled + b"\n+++ " + spelled + b"\n" + body,
        b"--- " + quote(spelled) + b"\n+++ " + quote(spelled) + b"\n" + body,
        b"--- /dev/null\n+++ b/" + spelled + b"\n@@ -0,0 +1 @@\n+b\n",
        b"diff --git a/x b/y\nrename from x\nrename to " + spelled + b"\n",
    ):
        asked.clear()
        try:
            read_patch(patch, read)
        except DraftError:
            pass
        else:
            # A plain diff may have folders in front of a name that mean nothing.
            assert patch.startswith(b"--- ")
        assert not any(path.startswith("/") or ".." in path.split("/") for path in asked)
        assert not any(is_git_folder(part) for path in asked for part in path.split("/"))


@given(st.binary(max_size=20))
def test_a_quoted_name_is_read_back(name: bytes) -> None:
    quoted = quote(name)
    if quoted != name:
        assert unquote(quoted + b" rest") == (name, b" rest")


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_patch_gives_changes_or_a_clear_error_and_nothing_else(data: st.DataObject) -> None:
    before, after = ordinary()
    before["bin"], after["bin"] = text(b"\0" * 200), text(b"\0" * 150 + b"x")
    lines = render_patch(propose(changes(before, after))).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "double", "swap", "cut", "byte"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                lines[at], lines[at - 1] = lines[at - 1], lines[at]
            case "cut":
                del lines[at + 1 :]
            case _ if lines[at]:
                spot = data.draw(st.integers(0, len(lines[at]) - 1))
                lines[at] = lines[at][:spot] + data.draw(st.binary(max_size=2)) + lines[at][spot + 1 :]
        if not lines:
            break
    try:
        found = read_patch(b"".join(lines), before.get)
    except DraftError:
        return
    assert all(change.before == before.get(change.path) for change in found)


def test_a_link_is_not_edited_as_a_file() -> None:
    with pytest.raises(DraftError, match="is a link here"):
        read_patch(
            b"diff --git a/f b/f\nindex 0..1 100644\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n",
            {"f": FileState(LINK, b"a\n")}.get,
        )
