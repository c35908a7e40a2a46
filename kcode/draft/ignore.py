"""What git ignores in a draft, by the draft's own `.gitignore` files."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kcode.draft import disk
from kcode.draft.files import LINK
from kcode.draft.layers import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kcode.draft.files import FileState
    from kcode.draft.layers import Layers, Stamp
    from kcode.safegit import SafeGit


class IgnoreRules:
    """Asks git over a shadow work tree, `folder`, that holds the draft's folders and `.gitignore` files and no more.

    So no mount is needed, and a folder that only the draft has is known as one: a rule such as `build/` counts for
    folders alone.
    """

    def __init__(self, git: SafeGit, folder: Path, read: Callable[[str], FileState | None]) -> None:
        self._git, self._folder, self._read = git, folder, read
        self._rules: dict[str, bytes | None] = {}
        self._folders: dict[str, bool] = {}
        self._stamps: tuple[Stamp | None, ...] = ()

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Of these files, those that git ignores; a tracked file never is."""
        asked = set(paths)
        return self._ask(asked, folders=set()) if asked else set()

    def ignored_folders(self, folders: Iterable[str]) -> set[str]:
        """Of these folders, those that git ignores with all in them. Answers are kept until `forget`."""
        asked = set(folders)
        now = self._stamp_rules()
        if now != self._stamps:
            self._stamps = now
            self.forget()
        unknown = {folder for folder in asked if folder not in self._folders}
        # A cache that hides itself (.pytest_cache, .ruff_cache, a virtual environment) needs no process to be known.
        hidden = {folder for folder in unknown if self._hides_itself(folder)}
        found = self._ask(unknown - hidden, folders=unknown - hidden) if unknown - hidden else set()
        self._folders |= {folder: folder in hidden or folder in found for folder in unknown}
        return {folder for folder in asked if self._folders[folder]}

    def newly_shown(self, layers: Layers, ignored: Iterable[str]) -> set[str]:
        """Files among those that the workspace's own rules ignore (a folder ends in `/`) that the draft's do not."""
        shown: set[str] = set()
        level = list(ignored)
        while level:
            folders = {path.rstrip("/") for path in level if path.endswith("/")}
            files = {path for path in level if not path.endswith("/")}
            shown |= files - self.ignored(files)
            level = []
            for folder in folders - self.ignored_folders(folders):
                for name in layers.names(folder):
                    found = layers.lstat(f"{folder}/{name}")
                    is_folder = found is not None and stat.S_ISDIR(found.st_mode)
                    level.append(f"{folder}/{name}/" if is_folder else f"{folder}/{name}")
        return shown

    def forget(self) -> None:
        """The rules may have changed: ask anew."""
        self._folders.clear()

    def _stamp_rules(self) -> tuple[Stamp | None, ...]:
        """The rules that the user is most likely to edit meanwhile."""
        found = map(disk.lstat, (self._git.work_tree / ".gitignore", self._git.git_dir / "info/exclude"))
        return tuple(stamp(item) if item is not None else None for item in found)

    def _hides_itself(self, folder: str) -> bool:
        state = self._read(f"{folder}/.gitignore")
        if state is None or state.mode == LINK:
            return False
        rules = [line for line in state.data.split(b"\n") if line.strip() and not line.startswith(b"#")]
        # Only a folder that the workspace does not have is sure to hold no tracked file.
        return rules == [b"*"] and disk.lstat(self._git.work_tree / folder) is None

    def _ask(self, paths: set[str], folders: set[str]) -> set[str]:
        done: set[str] = set()
        for path in sorted(paths):
            names = path.split("/")
            for count in range(len(names) + (path in folders)):
                self._show_folder("/".join(names[:count]), done)
            if path not in folders and (self._folder / path).is_dir():
                self._drop_folder(path)
        return self._git.ignored(paths, self._folder)

    def _drop_folder(self, path: str) -> None:
        """A folder of the shadow that is a file in the draft by now."""
        disk.remove_beneath(self._folder / path)
        self._rules = {folder: rule for folder, rule in self._rules.items() if not f"{folder}/".startswith(f"{path}/")}

    def _show_folder(self, folder: str, done: set[str]) -> None:
        if folder in done:
            return
        done.add(folder)
        state = self._read(f"{folder}/.gitignore" if folder else ".gitignore")
        # Git follows no link here, so a linked .gitignore rules nothing.
        rule = state.data if state is not None and state.mode != LINK else None
        if folder not in self._rules:
            disk.make_folder(self._folder / folder)
        elif self._rules[folder] == rule:
            return
        if rule is None:
            disk.remove_file(self._folder / folder / ".gitignore")
        else:
            disk.write_whole(self._folder / folder / ".gitignore", rule)
        self._rules[folder] = rule
