"""The application for other ASGI servers: `uvicorn app:app`."""

from uvicorn.config import STARTUP_FAILURE

from application.failure import fail
from application.settings import InvalidSettings
from application.start import prepare
from application.web import create_app

try:
    app = create_app(prepare())
except InvalidSettings as error:
    # With this status uvicorn's supervisor stops; with any other it would try again for ever.
    fail(str(error), STARTUP_FAILURE)
