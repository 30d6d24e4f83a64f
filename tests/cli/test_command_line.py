"""What all commands have in common."""

import socket

import pytest

from tests.cli.command import parley


def test_help_lists_the_commands() -> None:
    outcome = parley("--help", env={})
    assert outcome.status == 0
    assert "serve" in outcome.stdout
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["sing"], "No such command 'sing'."),
        (["serve", "--colour", "blue"], "No such option: --colour"),
        (["serve", "--port", "http"], "Invalid value for '--port'"),
    ],
)
def test_what_cannot_be_understood_is_one_line(words: list[str], reason: str) -> None:
    outcome = parley(*words, env={})
    assert outcome.status == 2
    assert outcome.reason.startswith(reason)
    assert outcome.reason.endswith("Try --help.")


def test_options_go_before_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = parley("serve", "--host", "127.0.0.1", "--port", port, env={"HOST": "192.0.2.1"})
    assert outcome.status == 1
    assert outcome.reason.startswith(f"Cannot listen on 127.0.0.1, port {port}")


def test_a_wrong_setting_is_one_line() -> None:
    outcome = parley("serve", env={"LOGIN_QUEUE": "long"})
    assert outcome.status == 1
    assert outcome.reason.startswith("LOGIN_QUEUE: should be a valid integer")
    assert ".env.sample" in outcome.reason
