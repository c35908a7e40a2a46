"""What the model is shown of the repository before it asks."""
