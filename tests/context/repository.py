"""Ask for the ranking and the map of a small repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.index import Indexer, index_folder
from kcode.context.map import RepositoryMap, make_map
from kcode.context.rank import RankedFile, rank_files
from kcode.safegit import open_git
from kcode.workspace import open_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.context.corpus import Corpus


def read_corpus(root: Path) -> Corpus:
    """The whole of a repository, its index kept beside it."""
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    safegit = open_git(workspace, root.parent / "private")
    indexer = Indexer(workspace.root, safegit, index_folder(root.parent / "cache", workspace))
    indexer.start()
    return indexer.corpus("", None)


def rank(root: Path, request: str) -> list[RankedFile]:
    return rank_files(read_corpus(root), request)


def order(root: Path, request: str) -> list[str]:
    return [file.path for file in rank(root, request)]


def draw(root: Path, request: str, tokens: int = 4_000) -> RepositoryMap:
    return make_map(read_corpus(root), request, tokens)
