"""How a project is tested, and what its runner said."""
