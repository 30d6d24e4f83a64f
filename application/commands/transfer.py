"""`export` and `import`: a whole chat as lines of JSON."""

import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer

Target = Annotated[
    str, typer.Argument(metavar="FILE", help="Where to; - for standard output, .gz to compress.")
]
Source = Annotated[str, typer.Argument(metavar="FILE", help="Where from; - for standard input.")]


def export(
    target: Target,
    credentials: Annotated[
        bool,
        typer.Option(
            "--credentials/--no-credentials",
            help="With the hashes of passwords, and sessions: without, nobody can log in"
            " until they have a new password.",
        ),
    ] = True,
) -> None:
    """Write the whole chat to a file, also while servers run.

    The file has all private messages: keep it as you keep the store.
    """
    from application.commands.files import writing
    from application.commands.opened import with_chat
    from application.commands.progress import bar
    from services.archive.export import Export
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        archive = Export(chat.store, chat.log, credentials=credentials)
        began = time.monotonic()
        with writing(target) as file, bar("Exporting") as show:
            async for line in archive.lines():
                file.write(line)
                show(archive.messages, archive.total_messages)
        _say("Exported", archive.users, archive.messages, began)

    with_chat(work)


def import_(source: Source) -> None:
    """Put an exported chat into an empty store.

    No server may use it. An import that was interrupted is repeated; what is there already is left
    as it is.
    """
    from application.commands.files import Source as File
    from application.commands.files import reading
    from application.commands.opened import with_chat
    from application.commands.progress import bar
    from services.archive.restore import Restore
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        restore = Restore(chat.store, chat.log, chat.fleet)
        began = time.monotonic()

        def lines(file: File) -> Iterator[bytes]:
            for line in file.lines():
                yield line
                show(file.position, file.size)

        with reading(source) as file, bar("Importing") as show:
            was_new = await restore.run(lines(file))
        if was_new:
            _say("Imported", restore.users, restore.messages, began)
        else:
            sys.stderr.write("This archive was imported before: nothing is left to do.\n")

    with_chat(work)


def _say(done: str, users: int, messages: int, began: float) -> None:
    seconds = time.monotonic() - began
    sys.stderr.write(f"{done} {users:,} users and {messages:,} messages in {seconds:.1f} s.\n")
