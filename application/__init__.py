"""The server: settings, Starlette, transports, command line."""
