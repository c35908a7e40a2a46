"""The loop: turns, steps and tool calls."""
