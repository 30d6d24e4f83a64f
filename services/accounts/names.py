"""Names: how they are written down, and which names of users look the same.

What looks the same is Unicode's business (Technical Standard 39, section 4): every character has a
prototype, and names with the same prototypes, a "skeleton", can be taken for each other.
"""

import re
import unicodedata
from functools import cache
from importlib.resources import files

import orjson

from services.errors import BadUserInput

MAX_USERNAME = 32
MAX_ROOM_NAME = 64
FIELD = "input.username"

_LONGEST_GIVEN = 256
_REFUSED = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Control and format characters, what is not assigned, lone surrogates, line separators."""

# Letters and marks that show nothing (Default_Ignorable_Code_Point), and the blank of Braille.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0]")
_VARIATIONS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""They choose between pictures of one character, such as an emoji's."""


def usable(username: str) -> str:
    """The name as it is kept: NFKC, without outer blanks, with single inner ones.

    Raises BadUserInput.
    """
    name = written(username)
    if not 1 <= len(name) <= MAX_USERNAME or len(username) > _LONGEST_GIVEN:
        raise BadUserInput(f"A username has 1 to {MAX_USERNAME} characters.", FIELD)
    if any(unicodedata.category(each) in _REFUSED for each in name) or _INVISIBLE.search(name):
        raise BadUserInput("The username has characters that cannot be used.", FIELD)
    if not _VARIATIONS.sub("", name):
        raise BadUserInput("The username has nothing that can be seen.", FIELD)
    return name


def usable_of_room(text: str) -> str:
    """A room's name as it is kept, in the same form as a user's. Raises BadUserInput."""
    name = written(text)
    if not 1 <= len(name) <= MAX_ROOM_NAME or len(text) > _LONGEST_GIVEN:
        raise BadUserInput(f"A room's name has 1 to {MAX_ROOM_NAME} characters.", "input.name")
    if any(unicodedata.category(each) in _REFUSED for each in name) or _INVISIBLE.search(name):
        raise BadUserInput("The room's name has characters that cannot be used.", "input.name")
    return name


def written(username: str) -> str:
    """The one way to write a name down; one that is too long to be kept is left as it is."""
    if len(username) > _LONGEST_GIVEN:
        return username
    return re.sub(" +", " ", unicodedata.normalize("NFKC", username.strip())).strip()


def spellings(name: str) -> list[str]:
    """What nobody else's name may have in common with this one; at least one, the first the same
    for all cases of it.

    Two, as case can be folded before characters are compared or after: `PABIO` is `pabio` in
    another case, and `PabIo` looks like `Pablo`.
    """
    if len(name) > _LONGEST_GIVEN:
        return [name]  # Nobody's, or of another server that keeps such a thing.
    name = _VARIATIONS.sub("", written(name))
    folded = _folded(name)
    return list(dict.fromkeys([_folded(_skeleton(folded)), _folded(_skeleton(name))]))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold())


def _skeleton(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFD", decomposed.translate(_prototypes()))


@cache
def _prototypes() -> dict[int, str]:
    """By character. In the library's table each has what it can be taken for: a prototype all that
    have it, any other its prototype alone."""
    table = orjson.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_bytes())
    prototypes = {}
    for character, others in table.items():
        if len(character) != 1 or len(others) != 1:
            continue
        other = others[0]["c"]
        mutual = len(table.get(other, ())) == 1 and len(other) == 1
        # Of two that have only each other either will do, but the same for both.
        if not mutual or other < character:
            prototypes[ord(character)] = other
    return prototypes
