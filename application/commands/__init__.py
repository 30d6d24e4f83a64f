"""The command line, one module a command.

What a module needs besides typer it imports where it is needed: `--help` and the start of a server
wait for nothing that is not theirs.
"""
