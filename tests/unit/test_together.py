"""Two coroutines at the same time, without tasks."""

import asyncio

import pytest

from services.together import together


class Asked:
    """Notes the order in which something is asked for, and answers when told to."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.answers: dict[str, asyncio.Future[str]] = {}

    async def ask(self, name: str, *more: str) -> str:
        answer = ""
        for each in (name, *more):
            self.order.append(each)
            self.answers[each] = asyncio.get_running_loop().create_future()
            answer = await self.answers[each]
        return answer


async def test_both_ask_before_either_is_answered() -> None:
    asked = Asked()
    both = asyncio.create_task(together(asked.ask("a", "b"), asked.ask("x", "y")))
    await asyncio.sleep(0)
    assert asked.order == ["a", "x"]
    asked.answers["x"].set_result("1")
    asked.answers["a"].set_result("2")
    await asyncio.sleep(0)
    assert asked.order == ["a", "x", "b"]
    asked.answers["b"].set_result("3")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked.answers["y"].set_result("4")
    assert await both == ("3", "4")


async def test_an_error_of_the_first_leaves_the_second() -> None:
    asked = Asked()
    both = asyncio.create_task(together(asked.ask("a"), asked.ask("x")))
    await asyncio.sleep(0)
    asked.answers["a"].set_exception(KeyError("a"))
    with pytest.raises(KeyError):
        await both
    assert asked.answers["x"].cancelled()


async def test_errors_of_those_that_never_wait() -> None:
    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(KeyError):
        await together(fail(KeyError()), fail(ValueError()))
    with pytest.raises(ValueError, match="x"):
        await together(asyncio.sleep(0), fail(ValueError("x")))


async def test_what_is_thrown_in_arrives() -> None:
    async def patient() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            return "timed out"
        return ""

    assert await together(patient(), asyncio.sleep(0, "slept")) == ("timed out", "slept")


async def test_a_cancelled_caller_cancels_both() -> None:
    asked = Asked()
    both = asyncio.create_task(together(asked.ask("a"), asked.ask("x")))
    await asyncio.sleep(0)
    both.cancel()
    with pytest.raises(asyncio.CancelledError):
        await both
    assert asked.answers["a"].cancelled()
    assert asked.answers["x"].cancelled()
