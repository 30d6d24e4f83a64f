"""The bots of examples/ miss nothing and repeat nothing, whoever is killed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from services import keys
from tests.examples.conftest import BOTS, Bot, Chat, Owner

MOST_LINES = 80
ECHO = {
    "python": (BOTS, (sys.executable, "echo.py")),
    "typescript": (BOTS / "typescript", ("node_modules/.bin/tsx", "echo.ts")),
}
ALL = {
    **ECHO,
    "remind": (BOTS, (sys.executable, "remind.py")),
    "bridge": (BOTS, (sys.executable, "bridge.py", "room:0")),
}


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    if not (BOTS / "typescript/node_modules/.stamp").exists():
        pytest.fail("The bot's packages are not installed: `make clients`.", pytrace=False)


@pytest.mark.on_cluster
@pytest.mark.parametrize("language", ECHO)
async def test_echo_answers_each_message_once(
    chat: Chat, pablo: Owner, bot: Bot, language: str
) -> None:
    folder, command = ECHO[language]
    said = []

    async def say(*texts: str) -> None:
        for text in texts:
            said.append(text)
            await pablo.say(text)

    async with bot.running(folder, *command):
        await bot.wait_until_it_listens()
        beginning = bot.state.read_text()
        await say("one", "two")
        await pablo.wait_for("Bot", "two")
        await asyncio.to_thread(chat.kill)
        saying = asyncio.create_task(say(*(f"around a crash {number}" for number in range(10))))
        await asyncio.to_thread(chat.start)
        await saying
        await pablo.wait_for("Bot", said[-1])
        # In the middle of answering, too.
        saying = asyncio.create_task(say(*(f"under a crash {number}" for number in range(20))))
        await pablo.wait_for("Bot", "under a crash 3")
        await asyncio.to_thread(chat.kill)
        await asyncio.to_thread(chat.start)
        await saying
        await pablo.wait_for("Bot", said[-1])
    await say("while it is away")
    async with bot.running(folder, *command):
        await pablo.wait_for("Bot", said[-1])
    # As if it had been killed before it could write down that it has answered.
    bot.state.write_text(beginning)
    async with bot.running(folder, *command):
        await say("last")
        await pablo.wait_for("Bot", "last")
    assert await pablo.said("Bot") == said


async def test_remind_says_each_reminder_once(chat: Chat, pablo: Owner, bot: Bot) -> None:
    command = (sys.executable, "remind.py")
    async with bot.running(BOTS, *command):
        await bot.wait_until_it_listens()
        beginning = bot.state.read_text()
        for text in ("/remind 1 second at once", "no command", "/remind 4 seconds later"):
            await pablo.say(text)
        await pablo.wait_for("Bot", "Pablo: at once")
        await asyncio.to_thread(chat.kill)
        await asyncio.to_thread(chat.start)
        await pablo.wait_for("Bot", "Pablo: later")
        await pablo.say("/remind 1 second in its absence")
        await bot.wait_until_it_has_come_to(await pablo.newest_cursor())
    async with bot.running(BOTS, *command):
        await pablo.wait_for("Bot", "Pablo: in its absence")
    bot.state.write_text(beginning)
    async with bot.running(BOTS, *command):
        await pablo.say("/remind 1 second last")
        await pablo.wait_for("Bot", "Pablo: last")
    assert await pablo.said("Bot") == [
        f"Pablo: {text}" for text in ("at once", "later", "in its absence", "last")
    ]


async def test_remind_goes_on_when_the_store_has_lost_its_place(
    chat: Chat, store_url: str, pablo: Owner, bot: Bot
) -> None:
    command = (sys.executable, "remind.py")
    async with bot.running(BOTS, *command):
        await bot.wait_until_it_listens()
    kept = bot.state.read_text()
    chat.kill()
    with Redis.from_url(store_url) as store:
        store.delete(keys.EPOCH, keys.ENDED_EPOCHS)
    chat.start()
    async with bot.running(BOTS, *command):
        async with asyncio.timeout(30):
            while bot.state.read_text() == kept:
                await asyncio.sleep(0.05)
        await pablo.say("/remind 1 second all is well")
        await pablo.wait_for("Bot", "Pablo: all is well")


@pytest.mark.on_cluster
async def test_bridge_mirrors_a_room(chat: Chat, pablo: Owner, bot: Bot) -> None:
    said = [f"message {number}" for number in range(30)]

    async def say(texts: list[str]) -> None:
        for text in texts:
            await pablo.say(text)

    command = (sys.executable, "bridge.py", "room:0")
    lines: list[str] = []
    async with bot.running(BOTS, *command) as output:
        await bot.wait_until_it_listens()
        saying = asyncio.create_task(say(said[:20]))
        await pablo.wait_for("Pablo", said[5])
        await asyncio.to_thread(chat.kill)
        await asyncio.to_thread(chat.start)
        await saying
        await bot.wait_until_it_has_come_to(await pablo.newest_cursor())
        lines += await output.rest()
    await say(said[20:])
    async with bot.running(BOTS, *command) as output:
        await bot.wait_until_it_has_come_to(await pablo.newest_cursor())
        lines += await output.rest()
    mirrored = [json.loads(line) for line in lines if line.startswith("{")]
    assert [each["text"] for each in mirrored] == said
    assert {each["sender"]["username"] for each in mirrored} == {"Pablo"}


@pytest.mark.parametrize("name", ALL)
async def test_they_end_with_their_token(pablo: Owner, bot: Bot, name: str) -> None:
    folder, command = ALL[name]
    end = "The token does not hold any more."
    async with bot.running(folder, *command) as output:
        await bot.wait_until_it_listens()
        await pablo.revoke_token(bot.id)
        await output.wait_for(end)
    async with bot.running(folder, *command) as output:
        await output.wait_for(end)


@pytest.mark.parametrize(
    "program", sorted([*BOTS.glob("*.py"), *BOTS.glob("*/*.ts")]), ids=lambda path: path.name
)
def test_they_are_short(program: Path) -> None:
    assert len(program.read_text().splitlines()) <= MOST_LINES


def test_the_types_of_the_one_in_typescript() -> None:
    folder, _ = ECHO["typescript"]
    checked = subprocess.run(
        ["node_modules/.bin/tsc", "--noEmit"], cwd=folder, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
