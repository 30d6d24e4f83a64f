"""The chat itself: all Redis access, key names, the log and the bridge. No GraphQL in here."""
