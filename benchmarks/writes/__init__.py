"""Local writes beside TanStack DB."""
