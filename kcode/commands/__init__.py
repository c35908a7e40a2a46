"""What the user asks for by `/name`."""
