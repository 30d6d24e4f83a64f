"""GraphQL over Server-Sent Events, in the distinct connections mode.

The protocol: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

from collections.abc import Sequence

from starlette.responses import Response

from application.transports.accept import Accept
from application.transports.streams import Errors, stream_headers
from execution.encode import encode
from execution.subscription import ResumableResponse

EVENT_STREAM = "text/event-stream"


class EventFraming:
    """Lines end with LF alone: urql splits at two of them.

    The id of an event is its cursor. Clients send the last one they saw as `Last-Event-ID` when
    they connect again, which the gateway takes for `after`. What has no cursor has no id, and the
    client keeps the one it had.
    """

    name = "sse"
    content_type = f"{EVENT_STREAM}; charset=utf-8"
    opening = b""
    ping = b": ping\n\n"
    # The empty data is for the browsers' EventSource, which drops events without any.
    complete = b"event: complete\ndata: \n\n"

    def is_accepted(self, accept: Accept) -> bool:
        return accept.names(EVENT_STREAM)

    def next(self, response: bytes) -> bytes:
        event = b"event: next\ndata: " + response + b"\n\n"
        if isinstance(response, ResumableResponse):
            return b"id: " + response.cursor.encode() + b"\n" + event
        return event

    def request_errors(self, errors: Errors) -> bytes:
        return self.next(encode({"errors": errors}))

    def transport_errors(self, errors: Errors) -> bytes:
        return self.request_errors(errors)


EVENTS = EventFraming()


def event_stream_of(response: bytes, headers: Sequence[tuple[str, str]]) -> Response:
    """The stream of a single result, or of the errors found before any execution."""
    stream = Response(EVENTS.next(response) + EVENTS.complete, headers=stream_headers(EVENTS))
    for name, value in headers:
        stream.headers.append(name, value)
    return stream
