"""How a command runs: isolated, limited, and ended."""
