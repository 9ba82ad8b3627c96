"""Live queries: their first load and what a change costs, beside TanStack DB."""
