"""The entries of a conversation, each of which knows its rows at any width."""

from kcode.tui.blocks.answer import AnswerBlock
from kcode.tui.blocks.block import Block
from kcode.tui.blocks.notice import NoticeBlock, NoticeKind, TurnEndBlock
from kcode.tui.blocks.patch import PatchBlock
from kcode.tui.blocks.reasoning import ReasoningBlock
from kcode.tui.blocks.tool import ToolBlock
from kcode.tui.blocks.user import UserBlock

__all__ = [
    "AnswerBlock",
    "Block",
    "NoticeBlock",
    "NoticeKind",
    "PatchBlock",
    "ReasoningBlock",
    "ToolBlock",
    "TurnEndBlock",
    "UserBlock",
]
