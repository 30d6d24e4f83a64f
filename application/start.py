"""What every process does first."""

from application.logs import set_up_logs
from application.settings import InvalidSettings, Settings, load_settings


def prepare() -> Settings:
    """Load the settings and set the log up. Raises InvalidSettings."""
    try:
        settings = load_settings()
    except InvalidSettings as error:
        raise InvalidSettings(f"{error}. See .env.sample for what each setting takes.") from None
    set_up_logs(settings.log_level)
    return settings
