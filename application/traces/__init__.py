"""Traces by OpenTelemetry, for whoever asks for them by its standard environment variables.

Nothing of OpenTelemetry is imported otherwise.
"""
