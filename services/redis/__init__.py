"""The store: where it is, connections to it, its clusters and sentinels, and one of our own."""
