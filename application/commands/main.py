"""The command line put together: `python -m application`, or `parley` where that is installed."""

import os
import signal
import sys
from typing import Never

import typer

from application.commands.doctor import doctor
from application.commands.loadtest import loadtest
from application.commands.rooms import rooms
from application.commands.serve import serve
from application.commands.transfer import export, import_
from application.commands.users import users
from application.failure import fail
from services.errors import ChatError, OperatorError

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
app.command()(serve)
app.command()(doctor)
app.add_typer(users, name="users")
app.add_typer(rooms, name="rooms")
app.command()(export)
app.command("import")(import_)
app.command()(loadtest)


@app.callback(invoke_without_command=True)
def without_command(context: typer.Context) -> None:
    """Parley, a self-hosted chat server. Without a command it serves.

    Settings come from the environment or a file .env, the same for every command.
    """
    if context.invoked_subcommand is None:
        serve()


def main() -> Never:
    """Run the command of the process's arguments, and end the process.

    Exit status: 0 for success, 1 for what failed, 2 for what cannot be understood.
    """
    # What was begun is closed: the embedded store would outlive a command that is killed. And no
    # handler of asyncio's, which waits for what blocks.
    stops = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        stops.append(signal.SIGHUP)
    for stop in stops:
        signal.signal(stop, lambda number, frame: sys.exit(128 + number))
    _open_what_is_closed()
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        fail(f"{error.format_message().rstrip('.')}. Try --help.", error.exit_code)
    except typer.Abort:
        fail("No password was given.")
    except (OperatorError, ChatError) as error:
        fail(str(error))
    except BrokenPipeError:
        # The reader, like `head`, has seen enough.
        _say_nothing_more()
        raise SystemExit(1) from None
    except OSError as error:
        _say_nothing_more()
        place = "Cannot write standard output" if error.filename is None else error.filename
        fail(f"{place}: {error.strerror or error}.")
    raise SystemExit(status)


def _open_what_is_closed() -> None:
    """A program may be called without its streams; what is opened next would take their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def _say_nothing_more() -> None:
    """What could not be written would be tried again at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
