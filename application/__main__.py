import signal

# Until the commands say what it does: else it leaves a traceback of whatever is being imported.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from application.commands.main import main  # noqa: E402

main()
