"""Documentation, and the small programs that write the parts of it which follow from the code."""
