"""A file's change as rows and lines: all that the review shows of it, without a screen."""
