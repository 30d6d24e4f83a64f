"""Passwords: never from an argument, which others on the machine could see."""

import sys

import typer


def read_password(*, is_new: bool = False) -> str:
    """Asked for on a terminal, twice when it is new; else a line of standard input."""
    if sys.stdin.isatty():
        asked = typer.prompt("Password", hide_input=True, confirmation_prompt=is_new, err=True)
        return str(asked)
    return sys.stdin.readline().rstrip("\r\n")
