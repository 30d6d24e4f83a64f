"""The application for ASGI servers: `uvicorn app:app --workers 4`."""

from uvicorn.config import STARTUP_FAILURE

from application.cli import prepare
from application.web import create_app

# With this status uvicorn's supervisor stops; with any other it would try again for ever.
app = create_app(prepare(STARTUP_FAILURE))
