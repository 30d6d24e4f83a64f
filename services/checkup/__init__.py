"""What is right and what is wrong with a store, and what an operator should do about it."""
