"""Apollo's protocol of subscriptions over multipart HTTP.

The protocol: https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
"""

from application.transports.accept import Accept
from application.transports.streams import Errors
from execution.encode import encode

MULTIPART = "multipart/mixed"

_DELIMITER = b"\r\n--graphql"


def _part(body: bytes) -> bytes:
    """A part with the delimiter that ends it: a client only knows then that it has all of it."""
    return b"\r\ncontent-type: application/json\r\n\r\n" + body + _DELIMITER


class MultipartFraming:
    name = "multipart"
    content_type = f'{MULTIPART};boundary="graphql";subscriptionSpec="1.0"'
    ping = _part(b"{}")
    opening = _DELIMITER + ping
    complete = b"--\r\n"

    def is_accepted(self, accept: Accept) -> bool:
        return accept.names(MULTIPART, subscriptionspec="1.0")

    def next(self, response: bytes) -> bytes:
        return _part(b'{"payload":' + response + b"}")

    def request_errors(self, errors: Errors) -> bytes:
        return self.next(encode({"errors": errors}))

    def transport_errors(self, errors: Errors) -> bytes:
        return _part(encode({"payload": None, "errors": errors}))


PARTS = MultipartFraming()
