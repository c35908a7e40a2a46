"""What the real program sends first, and what it runs and shows before that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kcode.messages import KCODE_NOTE
from kcode.piped import mark_piped
from tests.model_server import reply
from tests.program import make_program
from tests.test_safegit import set_traps

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

SOURCE = {
    f"shop/part{n}.py": "".join(f"def part_{n}_{i}():\n    return {i}\n\n\n" for i in range(60)) for n in range(40)
}


def test_the_map_and_what_is_named_come_before_the_users_words_and_nothing_of_the_repositorys_runs(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server([reply("It is right.")])
    program = make_program(tmp_path, SOURCE | {"plan.txt": "step one\n"}, {"KCODE_BASE_URL": server.url})
    marks = set_traps(program.repository, tmp_path)
    (program.repository / ".gitattributes").write_text("* diff=x filter=y\n")
    (program.repository / "plan.txt").write_text("step two\n")
    (program.repository / ".env").write_text("KEY=hush-hush\n")
    done = program.run("ask", "is part_7_3 what @plan.txt wants?", input=b"a log\n")
    assert done.returncode == 0, done.stderr
    assert list(marks.iterdir()) == []
    system, note, words = [message["content"] for message in server.requests[0].json["messages"]]
    assert "# The repository" not in system
    assert note.startswith(KCODE_NOTE)
    assert note.index("shop/part7.py:\n") < note.index("plan.txt, all 1 lines:\n1→step two")
    assert words.startswith(f"{mark_piped('a log')}\n\nis part_7_3 what @plan.txt wants?")
    assert b"hush-hush" not in server.requests[0].body


def test_doctor_names_what_is_kept_from_the_model(tmp_path: Path) -> None:
    program = make_program(tmp_path)
    (program.repository / ".gitignore").write_text(".env\n")
    (program.repository / ".env").write_text("KEY=hush\n")
    shown = program.run("doctor").stdout.decode()
    assert "kept from the model, since they look as if they held passwords or keys: .env" in shown


def test_a_packed_repository_is_sent_with_its_price_told_first(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server([reply("Fine.")])
    more = {"KCODE_BASE_URL": server.url, "KCODE_ENDPOINT": "moonshot", "MOONSHOT_API_KEY": "sk-test-0123456789"}
    program = make_program(tmp_path, SOURCE | {"plan.txt": "step one\n"}, more)
    shown = program.run("context", "--pack", "--json").stdout.decode()
    done = program.run("ask", "--pack", "is it right?")
    assert done.returncode == 0, done.stderr
    assert b"Packed: 41 files, about " in done.stderr
    assert b" in the first request" in done.stderr
    system, words = [message["content"] for message in server.requests[0].json["messages"]]
    assert system.count("<file path=") == 41
    assert words.startswith("is it right?")
    tokens = next(layer["tokens"] for layer in json.loads(shown)["layers"] if layer["name"] == "repository")
    told = int(done.stderr.decode().split("about ")[1].split(" ")[0].replace(",", ""))
    assert abs(told - tokens) < 0.01 * tokens


def test_a_pack_that_costs_too_much_is_not_sent_and_one_of_nothing_is_an_error(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server([reply("Fine.")])
    more = {"KCODE_BASE_URL": server.url, "KCODE_ENDPOINT": "moonshot", "MOONSHOT_API_KEY": "sk-test-0123456789"}
    program = make_program(tmp_path, SOURCE, more)
    assert program.run("ask", "--pack", "--max-cost", "0.01", "is it right?").returncode == 6
    done = program.run("ask", "--pack-files", "*.rs", "is it right?")
    assert done.returncode == 2
    assert b"There is no file that matches *.rs to be packed" in done.stderr
    assert not server.requests
