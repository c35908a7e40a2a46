"""Text of each kind that a model is shown, made up or taken from this repository; each the same at every call."""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
import random
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = ("kcode/agent/turn.py", "kcode/providers/stream.py", "kcode/draft/hunks.py")


def _digest(seed: int) -> bytes:
    return hashlib.sha512(str(seed).encode()).digest()


def _numbers(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # samples keep no secret


def _source() -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in SOURCES)


def _typescript() -> str:
    return "\n".join(
        f"export async function load{name}(client: ApiClient, options?: RequestOptions): Promise<{name}[]> {{\n"
        f"  const response = await client.get(`/api/v1/{name.lower()}s`, {{ ...options, retries: {number} }});\n"
        f"  if (!response.ok) {{\n    throw new ApiError(response.status, 'could not load {name.lower()}');\n  }}\n"
        f"  return response.json().then((rows) => rows.map((row: Raw{name}) => ({{ id: row.id, label: row.label }})));\n}}\n"
        for number, name in enumerate(["Invoice", "Customer", "Account", "Session", "Payment", "Address"] * 5)
    )


def _diff() -> str:
    old = _source().splitlines(keepends=True)
    changed = _numbers(7)
    new = [line.replace("self", "this") if changed.random() < 0.08 else line for line in old]
    return "".join(difflib.unified_diff(old, new, "a/kcode/agent/turn.py", "b/kcode/agent/turn.py"))


def _rows() -> list[dict[str, object]]:
    words = _numbers(5)
    return [
        {
            "id": number,
            "name": words.choice(["first", "second", "third"]),
            "description": "an item of the list",
            "tags": ["new", "open"],
            "active": number % 2 == 0,
            "price": round(words.random() * 100, 2),
        }
        for number in range(300)
    ]


def _npm_lock() -> str:
    return "\n".join(
        f'    "node_modules/package-{n}": {{\n      "version": "{n % 9}.{n % 7}.{n % 5}",\n'
        f'      "integrity": "sha512-{base64.b64encode(_digest(n)).decode()}",\n      "license": "MIT"\n    }},'
        for n in range(150)
    )


def _pip_lock() -> str:
    return "\n".join(
        f"package-{n}=={n % 9}.{n % 7} \\\n    --hash=sha256:{_digest(n).hex()[:64]} \\\n    --hash=sha256:{_digest(n).hex()[64:]}"
        for n in range(200)
    )


def _listing() -> str:
    sizes = _numbers(9)
    lines = []
    for folder in sorted({path.parent for path in (ROOT / "kcode").rglob("*.py")}):
        lines += [f"\n./{folder.relative_to(ROOT)}:", f"total {sizes.randint(10, 900)}"]
        lines += [
            f"-rw-r--r-- 1 root root {sizes.randint(100, 90_000):6} Mar {sizes.randint(1, 28):2} {sizes.randint(10, 23)}:{sizes.randint(10, 59)} {path.name}"
            for path in sorted(folder.glob("*.py"))
        ]
    return "\n".join(lines)


def _log() -> str:
    numbers = _numbers(3)
    return "\n".join(
        f"2026-03-{n % 28 + 1:02}T12:{n % 60:02}:{n * 7 % 60:02}.{numbers.randint(0, 999):03}Z INFO [worker-{n % 8}] request "
        f"id={numbers.getrandbits(32):08x} took {numbers.randint(1, 900)}ms status=200 path=/api/v1/items/{n}"
        for n in range(300)
    )


def _hex_dump() -> str:
    data = b"".join(_digest(n) for n in range(80))
    return "\n".join(
        f"{at:08x}: {data[at : at + 16].hex(' ', 2)}  {''.join(chr(b) if 32 < b < 127 else '.' for b in data[at : at + 16])}"
        for at in range(0, len(data), 16)
    )


_CHINESE = (
    "这个程序在草稿里工作:模型从不直接修改用户的文件。每一次编辑和每一个命令的结果都先进入草稿,测试也在草稿上运行。"
    "只有当你同意之后,选中的改动才会写入文件,并且可以撤销。如果测试失败,程序会说明是哪一个测试、为什么失败。\n"
)
_JAPANESE = "このプログラムを使うと、テキストファイルをすばやく簡単に編集できます。始める前に説明を読んで、テストを実行してください。\n"
_KOREAN = "이 프로그램을 사용하면 텍스트 파일을 빠르고 쉽게 편집할 수 있습니다. 시작하기 전에 설명을 읽고 테스트를 실행하세요.\n"
_RUSSIAN = "Программа работает в черновике: модель никогда не изменяет файлы пользователя сама. Перед началом прочитайте описание.\n"
_GERMAN = "Das Programm ändert keine Dateien, bevor Sie zustimmen. Öffnen Sie die Übersicht, prüfen Sie die Änderungen und bestätigen Sie.\n"


def samples() -> dict[str, str]:
    """Every kind of text by its name."""
    source, rows = _source(), _rows()
    return {
        "Python": source,
        "TypeScript": _typescript(),
        "Markdown": "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")),
        "diff": _diff(),
        "numbered lines": "\n".join(f"{number:6}\t{line}" for number, line in enumerate(source.split("\n"), 1)),
        "JSON": json.dumps(rows, indent=2),
        "minified JSON": json.dumps(rows, separators=(",", ":")),
        "npm lock": _npm_lock(),
        "pip lock": _pip_lock(),
        "listing": _listing(),
        "log": _log(),
        "hex dump": _hex_dump(),
        "base64": base64.b64encode(b"".join(_digest(n) for n in range(80))).decode(),
        "Chinese": _CHINESE * 20,
        "Japanese": _JAPANESE * 20,
        "Korean": _KOREAN * 20,
        "Russian": _RUSSIAN * 20,
        "German": _GERMAN * 20,
        "emoji": "🎉 done ✅ ok → next • item\n" * 50,
    }
