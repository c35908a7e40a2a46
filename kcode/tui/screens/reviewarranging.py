"""How a review is shown: side by side, with blanks, wrapped, folded, filtered, with the files before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.tui.diff.bars import Key, draw_side_bar
from kcode.tui.keys import printed_key, shown_keys
from kcode.tui.screens.reviewkeys import explain_keys
from kcode.tui.screens.reviewlooking import LookingScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widgets import Input

    from kcode.tui.lines import Line
    from kcode.tui.widgets.filelist import FileList

# So many cells a side are worth being side by side.
_SIDE = 80


class ArrangingScreen(LookingScreen):
    """What is changed here is forgotten with the screen."""

    def on_resize(self) -> None:
        self.call_after_refresh(self.fit)

    def fit(self) -> None:
        """Show the diff side by side where both sides have room, unless that was chosen otherwise."""
        has_room = self.body.size.width >= 2 * _SIDE
        if self._splits_itself and self.body.look.split is not has_room:
            self.body.set_look(split=has_room)

    def action_toggle_split(self) -> None:
        self._splits_itself = False
        self.body.set_look(split=not self.body.look.split)

    def action_toggle_blanks(self) -> None:
        self.body.set_look(blanks=not self.body.look.blanks)

    def action_toggle_wrap(self) -> None:
        self.body.set_look(wrap=not self.body.look.wrap)

    def action_toggle_folds(self, everywhere: bool) -> None:
        self.body.toggle_folds(everywhere=everywhere)

    def action_unfold(self, old: int) -> None:
        self.body.unfold(old)

    def action_list_files(self) -> None:
        """Show the files in the place of the diff, where there is no room for both."""
        self.toggle_class("-listing")

    def on_file_list_file_chosen(self, event: FileList.FileChosen) -> None:
        if self.state is not None:
            self.state.go_to_file(event.path)
            self.remove_class("-listing")
            self.moved_on()

    def action_scroll_side(self, by: int) -> None:
        self.side.scroll_relative(y=by, animate=False)

    def action_page_side(self, by: int) -> None:
        """Scroll what stands beside the diff by what is seen of it."""
        self.action_scroll_side(by * max(self.side.size.height - 1, 1))

    def action_help(self) -> None:
        """All keys, in the place beside the diff."""
        self.show_side("help", explain_keys(self.desk.source, self.texts))

    def show_side(self, kind: str, lines: Sequence[Line]) -> None:
        """Show a text beside the diff; the same kind again hides it."""
        if self._side == kind:
            self.hide_side()
            return
        self._side = kind
        title = self.texts(f"review.side_{kind}")
        keys = [
            Key(printed_key("pagedown"), "", "screen.page_side(1)"),
            Key(printed_key("pageup"), self.texts("review.side_scroll"), "screen.page_side(-1)"),
            Key(shown_keys("review-close", self._keymap, most=1), self.texts("review.side_close"), "screen.close"),
        ]
        self._side_bar.show(lambda width: draw_side_bar(title, keys, width))
        self.side.show(lines)
        self.add_class("-side")
        self.call_after_refresh(self.fit)

    def hide_side(self) -> None:
        self._side = ""
        self.remove_class("-side")
        self.call_after_refresh(self.fit)

    def action_filter(self) -> None:
        self.filter_box.display = self.filter_box.can_focus = True
        self.set_focus(self.filter_box)

    def on_input_changed(self, event: Input.Changed) -> None:
        if self.state is not None and event.input is self.filter_box:
            self.state.set_filter(event.value.strip())
            self.body.find(self.state.filter)
            self.paint()

    def on_input_submitted(self) -> None:
        """Go on with what the filter leaves."""
        self.filter_box.display = self.filter_box.can_focus = False
        self.set_focus(self.body)

    def drop_filter(self) -> bool:
        """Show everything again; False where that was so."""
        if self.state is None or not (self.state.filter or self.filter_box.display):
            return False
        self.filter_box.value = ""
        self.state.set_filter("")
        self.body.find("")
        self.on_input_submitted()
        self.paint()
        return True
