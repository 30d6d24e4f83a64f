"""What people and guessers do with accounts."""

from typing import Any

from tests.api.client import ACCEPT, Failed, User

LOG_IN = "mutation($input: LoginInput!) { login(input: $input) { token user { id } } }"
REGISTER = (
    "mutation($input: RegisterInput!) { register(input: $input) { token user { id username } } }"
)


async def refusal(user: User, document: str, **variables: Any) -> dict[str, Any]:
    """The only error of an operation, which has to fail."""
    try:
        data = await user(document, **variables)
    except Failed as failed:
        (error,) = failed.errors
        return error
    raise AssertionError(f"Answered with {data}")


async def guess(user: User, name: str, password: str = "wrong password") -> dict[str, Any]:
    return await refusal(user, LOG_IN, input={"username": name, "password": password})


async def register(user: User, name: str, password: str = "password123") -> dict[str, Any]:
    data = await user(REGISTER, input={"username": name, "password": password})
    registered: dict[str, Any] = data["register"]
    return registered


async def answer(user: User, document: str, **variables: Any) -> dict[str, Any]:
    """The whole response, errors and all."""
    response = await user.http.post(
        "/graphql",
        json={"query": document, "variables": variables},
        headers={"accept": ACCEPT, **user.headers},
    )
    body: dict[str, Any] = response.json()
    return body
