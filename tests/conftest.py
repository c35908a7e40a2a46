"""Fixtures that tests of several parts share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.model_server import ModelServer, as_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kcode.providers.cassette import Answer
    from tests.model_server import ModelServerFactory, Wire

ROOT = Path(__file__).parent.parent

# How long an example takes says how busy the machine is.
settings.register_profile("kcode", deadline=None)
settings.load_profile("kcode")


@pytest.fixture
def model_server() -> Iterator[ModelServerFactory]:
    """Make scripted model servers: `model_server([reply(text="Hello")])`; see tests/model_server.py."""
    servers: list[ModelServer] = []

    def make(script: Iterable[Mapping[str, Any] | Answer | Wire] = (), **more: Any) -> ModelServer:
        servers.append(ModelServer(as_answers(script), **more))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded streams, where this checkout has one beside it."""
    folder = ROOT.parent / "shared" / "wire" / "recorded"
    if not folder.is_dir():
        pytest.skip("the recorded streams are not here")
    return folder
