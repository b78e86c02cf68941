"""Words, rules and use cases of the register. Standard library only."""
