"""Collections: typed rows in memory, what changes in them, and who is told."""
