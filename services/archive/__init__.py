"""A whole chat as lines of JSON (docs/operations.md): written from one store, put into another."""
