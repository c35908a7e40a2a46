"""Messages and tools as the bytes of a request, each message serialised once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from kcode.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage
from kcode.providers.calls import is_json
from kcode.providers.surrogates import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.messages import Message, ToolCall
    from kcode.providers.dialects import Dialect, ReasoningKey, ReasoningOut
    from kcode.tooling import Tool


class HistoryEncoder:
    """Encodes a conversation that grows: what was encoded stays as it is, so one request's messages begin the next's.

    A message counts as the same when it is the same object. A conversation that does not continue the last one is
    encoded anew from its start.
    """

    def __init__(self, dialect: Dialect, reasoning_key: ReasoningKey | None = None) -> None:
        self._dialect = dialect
        # Moonshot's own key until the endpoint has sent any.
        self._came_as: ReasoningKey = reasoning_key or "reasoning_content"
        self._messages: list[Message] = []
        self._encoded: list[bytes] = []
        self._ids: dict[str, str] = {}
        self._used: set[str] = set()
        self._calls = 0

    def encode(self, messages: Sequence[Message]) -> bytes:
        """The inside of the request's `messages` array."""
        known = len(self._messages)
        if len(messages) < known or any(a is not b for a, b in zip(self._messages, messages, strict=False)):
            self._restart()
            known = 0
        for message in messages[known:]:
            self._messages.append(message)
            self._encoded.append(encode_json(self._as_json(message)))
        return b",".join(self._encoded)

    @property
    def size(self) -> int:
        """How many bytes the messages of the last request took."""
        return sum(map(len, self._encoded)) + max(0, len(self._encoded) - 1)

    def learn(self, key: ReasoningKey) -> None:
        """Send reasoning under the key under which the endpoint sends it, from the next new message on.

        Reasoning already encoded under another key is encoded again: the endpoint would drop it.
        """
        if key != self._came_as:
            self._came_as = key
            if self._dialect.reasoning_out == "as_it_came" and any(
                isinstance(m, AssistantMessage) and m.reasoning is not None for m in self._messages
            ):
                self._restart()

    def _restart(self) -> None:
        self._messages.clear()
        self._encoded.clear()
        self._ids.clear()
        self._used.clear()
        self._calls = 0

    def _as_json(self, message: Message) -> dict[str, Any]:
        match message:
            case SystemMessage(text):
                return {"role": "system", "content": text}
            case UserMessage(text):
                return {"role": "user", "content": text}
            case ToolMessage(call_id, name, text):
                found = {"role": "tool", "tool_call_id": self._ids.get(call_id, call_id), "content": text}
                return found | {"name": sendable_name(name)} if self._dialect.name_results else found
            case AssistantMessage():
                return self._assistant(message)

    def _assistant(self, message: AssistantMessage) -> dict[str, Any]:
        found: dict[str, Any] = {"role": "assistant"}
        # Moonshot: 400 "text content is empty" for "" beside calls. A message of nothing at all is refused everywhere.
        if message.text.strip() or not message.tool_calls:
            found["content"] = message.text or " "
        elif self._dialect.empty_content != "omit":
            found["content"] = None if self._dialect.empty_content == "null" else " "
        if message.reasoning is not None or message.reasoning_details:
            self._add_reasoning(found, message)
        elif message.tool_calls and self._dialect.missing_reasoning is not None:
            found["reasoning_content"] = self._dialect.missing_reasoning
        if message.tool_calls:
            found["tool_calls"] = [self._call(call) for call in message.tool_calls]
        return found

    @property
    def _reasoning_key(self) -> ReasoningOut:
        wanted = self._dialect.reasoning_out
        return self._came_as if wanted == "as_it_came" else wanted

    def _add_reasoning(self, found: dict[str, Any], message: AssistantMessage) -> None:
        key = self._reasoning_key
        if key == "none":
            return
        if key == "think":
            found["content"] = f"<think>{message.reasoning or ''}</think>{message.text}"
        elif key != "reasoning_details":
            found[key] = message.reasoning or ""
        elif message.reasoning_details:
            found["reasoning_details"] = json.loads(message.reasoning_details)
        else:
            # The same model's reply by way of another endpoint.
            found["reasoning"] = message.reasoning or ""

    def _call(self, call: ToolCall) -> dict[str, Any]:
        name = sendable_name(call.name)
        match self._dialect.tool_ids:
            case "k2":
                sent = f"functions.{name}:{self._calls}"
            case "plain":
                sent = f"call_{self._calls}"
            case _:
                sent = self._unused(call.id)
        self._calls += 1
        # Some hosts count ids from 0 in every reply: the latest call of an id is the one that is answered next.
        self._ids[call.id] = sent
        function = {"name": name, "arguments": _sendable_arguments(call.arguments)}
        return {"id": sent, "type": "function", "function": function}

    def _unused(self, call_id: str) -> str:
        candidate = call_id or "call"
        while candidate in self._used:
            candidate = f"{call_id or 'call'}_{len(self._used)}"
        self._used.add(candidate)
        return candidate


def _sendable_arguments(arguments: str) -> str:
    """Arguments as engines can take them back: vLLM and SGLang parse them, and refuse the request if they are no object."""
    text = arguments.strip()
    if not text:
        return "{}"
    return text if text.startswith("{") and is_json(text) else json.dumps({"malformed": text}, ensure_ascii=False)


def sendable_name(name: str) -> str:
    """A tool's name as endpoints can take it back: Moonshot refuses the whole request for any other that a model made up."""
    if name.startswith("$"):
        return name  # one of the endpoint's own tools
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "unknown"
    return plain if plain[0].isalpha() or plain[0] == "_" else f"tool_{plain}"[:64]


def encode_tools(tools: Iterable[Tool]) -> bytes:
    """The request's `tools` array, sorted by name so that its bytes do not depend on the order of loading."""
    return encode_json(
        [
            tool.declaration
            or {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in sorted(tools, key=lambda tool: tool.name)
        ]
    )


def encode_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; halves of surrogate pairs become U+FFFD."""
    return mend_surrogates(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode()
