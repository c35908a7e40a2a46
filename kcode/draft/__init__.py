"""The draft: the model's copy-on-write view of the workspace, what it proposes, and how that is applied and undone."""
