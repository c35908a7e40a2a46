"""The interface: a conversation with the model, and the review of what it proposes, in one terminal."""
