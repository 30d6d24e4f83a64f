"""A small load on a running server, as its clients make it (`loadtest`)."""
