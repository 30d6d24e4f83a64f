"""From the channel to the subscribers whom an event concerns; see hub.py."""
