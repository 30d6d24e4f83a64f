"""Accounts and log-ins."""

import strawberry

from schema.scalars import Moment
from schema.user import User


@strawberry.input(description="A new account.")
class RegisterInput:
    username: str = strawberry.field(
        description="The name, 1 to 32 characters; nobody else's, nor one that looks like it."
    )
    password: str = strawberry.field(
        description="The password, at least 8 characters and at most 72 bytes of UTF-8."
    )


@strawberry.input(description="The credentials of an account.")
class LoginInput:
    username: str = strawberry.field(description="The name.")
    password: str = strawberry.field(description="The password.")


@strawberry.type(description="A new session. Over HTTP its cookie is set as well.")
class AuthPayload:
    user: User = strawberry.field(description="Who is logged in.")
    token: str = strawberry.field(
        description="For `Authorization: Bearer <token>`, or in a socket's connection_init payload."
    )
    expires_at: Moment = strawberry.field(
        description="When the session ends unless it is used before."
    )


@strawberry.type(description="A session that was ended.")
class LogoutPayload:
    user: User | None = strawberry.field(description="Who was logged in; null if nobody was.")
