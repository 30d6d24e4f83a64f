"""What can be done with any text that somebody sends."""


def is_encodable(text: str) -> bool:
    """Whether the text has UTF-8, which half a surrogate pair has not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
