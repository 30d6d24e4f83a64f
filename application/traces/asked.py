"""Whether traces are asked for, and how they are to be exported.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from collections.abc import Mapping

from services.errors import OperatorError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTERS = ("otlp", "console")


def asked_exporters(env: Mapping[str, str]) -> list[str]:
    """`otlp` and `console`, as they are asked for; none for no traces.

    By the standard, traces go to a collector on this machine unless something else is said; here
    they are off unless an exporter or an endpoint is named. Raises OperatorError.
    """
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return []
    has_endpoint = any(env.get(name) for name in _ENDPOINTS)
    named = env.get("OTEL_TRACES_EXPORTER") or ("otlp" if has_endpoint else "none")
    exporters = [name.strip() for name in named.split(",") if name.strip() != "none"]
    if not set(exporters) <= set(_EXPORTERS):
        raise OperatorError("OTEL_TRACES_EXPORTER: should be otlp, console or none.")
    protocol = next(filter(None, map(env.get, _PROTOCOLS)), "http/protobuf")
    if "otlp" in exporters and protocol != "http/protobuf":
        raise OperatorError("OTEL_EXPORTER_OTLP_PROTOCOL: should be http/protobuf.")
    return exporters
