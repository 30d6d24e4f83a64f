"""Accounts that everybody can use."""

from application.checkup.settings import is_reached
from application.settings import Settings
from services.accounts.users import Users
from services.checkup.finding import Finding, warning, wrong
from services.demo import PASSWORD, USERNAMES
from services.errors import Unauthenticated


async def check_accounts(users: Users, settings: Settings) -> list[Finding]:
    """Raises Unavailable."""
    open_to_all = [name for name in USERNAMES if await _has_demo_password(users, name)]
    if not open_to_all:
        return []
    find = wrong if is_reached(settings) else warning
    return [
        find(
            "accounts",
            f"{', '.join(open_to_all)} can be logged in to by everybody, with {PASSWORD}:"
            " give them other passwords (users set-password) before others reach the server.",
        )
    ]


async def _has_demo_password(users: Users, name: str) -> bool:
    try:
        await users.authenticate(name, PASSWORD)
    except Unauthenticated:
        return False
    return True
