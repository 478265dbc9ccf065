"""What auditors ask: whether notes support what was billed, and whether a decision can be made again."""
