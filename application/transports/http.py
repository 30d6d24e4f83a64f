"""GraphQL over HTTP (the draft of https://github.com/graphql/graphql-over-http)."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from application.transports.accept import Accept
from application.transports.errors import error, refusal, unexpected
from application.transports.gateway import Gateway, Refused
from application.transports.multipart import PARTS
from application.transports.places import Places
from application.transports.sse import EVENT_STREAM, EVENTS, event_stream_of
from application.transports.streams import Framing, HTTPStream
from execution.encode import encode
from execution.errors import BAD_USER_INPUT, RequestError
from execution.operation import Operation
from execution.request import GraphQLRequest, parse_request

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
HTML = "text/html"

_SINGLE = (JSON, RESPONSE_JSON, EVENT_STREAM)
"""What a single response may come as."""

_STREAMS: Sequence[Framing] = (EVENTS, PARTS)
"""What a subscription may come as."""

_HEADERS = {
    "cache-control": "no-store",
    "vary": "accept",
    "x-content-type-options": "nosniff",
}

PREFLIGHT_HEADERS = ("apollo-require-preflight", "x-apollo-operation-name")
"""No page of another site can send these, unless it may: browsers ask before (Apollo Server,
"CSRF prevention")."""

Playground = Callable[[Request], Awaitable[Response]]


class _Problem(Exception):
    """The request is no GraphQL request, or not one for this method or media type."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        code: str = BAD_USER_INPUT,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = [error(message, code)]
        self.headers = list((headers or {}).items())


class HTTPEndpoint:
    """The ASGI application that answers GET and POST.

    `playground` makes the page for a browser that navigates here. An array of up to
    `max_batch_size` requests is a batch; none is without that.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        playground: Playground | None = None,
        max_body_bytes: int = 256 * 1024,
        max_batch_size: int = 0,
        places: Places | None = None,
    ) -> None:
        self._gateway = gateway
        self._places = places or Places()
        self._playground = playground
        self._max_body_bytes = max_body_bytes
        self._max_batch_size = max_batch_size
        self.open_streams: Counter[str] = Counter()
        """By the name of their framing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        accept = Accept.of(",".join(request.headers.getlist("accept")))
        best = accept.best(_SINGLE)
        media_type = best or JSON
        try:
            _check_method(request)
            if self._playground is not None and _is_navigation(request, accept):
                return await self._playground(request)
            if best is None and not PARTS.is_accepted(accept):
                raise _Problem(406, f"Accept {RESPONSE_JSON}, {JSON} or {EVENT_STREAM}.")
            body = await self._read(request)
            if isinstance(body, list):
                return await self._execute_batch(request, body)
            return await self._execute(request, body, accept, media_type)
        except _Problem as problem:
            return _json(problem.status, _errors(problem.errors), media_type, problem.headers)
        except Refused as refused:
            return _json(401, _errors([refusal(refused)]), media_type)
        except ClientDisconnect:
            raise
        except Exception:
            return _response(_failed("a GraphQL request failed"), media_type)

    async def _execute(
        self, request: Request, body: object, accept: Accept, media_type: str
    ) -> ASGIApp:
        try:
            operation = self._gateway.engine.prepare(_parsed(body))
            if operation.type == "subscription":
                return HTTPStream(
                    self._gateway,
                    self._places,
                    request,
                    operation,
                    _framing(accept),
                    self.open_streams,
                )
            if operation.type == "mutation" and request.method == "GET":
                raise _Problem(405, "Mutations have to be sent by POST.", {"allow": "POST"})
            result, headers = await self._result(request, operation)
        except RequestError as request_error:
            return _response(_errors(request_error.formatted), media_type, is_well_formed=False)
        return _response(result, media_type, headers=headers)

    async def _execute_batch(self, request: Request, batch: list[object]) -> Response:
        """The responses in the order of the requests, which are executed one after the other."""
        if not self._max_batch_size:
            raise _Problem(400, "Batches are not supported: send one request at a time.")
        if not 0 < len(batch) <= self._max_batch_size:
            raise _Problem(400, f"A batch has 1 to {self._max_batch_size} requests.")
        results: list[bytes] = []
        headers: list[tuple[str, str]] = []
        for item in batch:
            result, added = await self._item(request, item)
            results.append(result)
            headers += added
        return _json(200, b"[" + b",".join(results) + b"]", JSON, headers)

    async def _item(
        self, request: Request, item: object
    ) -> tuple[bytes, Sequence[tuple[str, str]]]:
        """The response to one request of a batch; what is wrong with it is in there."""
        try:
            operation = self._gateway.engine.prepare(_parsed(item))
            if operation.type == "subscription":
                raise _Problem(400, "Subscriptions cannot be part of a batch.")
            return await self._result(request, operation)
        except RequestError as request_error:
            return _errors(request_error.formatted), ()
        except _Problem as problem:
            return _errors(problem.errors), ()
        except Refused as refused:
            return _errors([refusal(refused)]), ()
        except Exception:
            return _failed("a GraphQL request in a batch failed"), ()

    async def _result(
        self, request: Request, operation: Operation
    ) -> tuple[bytes, Sequence[tuple[str, str]]]:
        """The response to a query or mutation, and the headers that it brings along."""
        context = await self._gateway.http_context(request)
        return await self._gateway.engine.execute(operation, context), context.response_headers

    async def _read(self, request: Request) -> object:
        """The request in the URL, or whatever JSON is in the body. Raises _Problem."""
        if request.method == "GET":
            _check_site(request)
            return _query_parameters(request)
        _check_content_type(request.headers.get("content-type", ""))
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise _Problem(415, "The body must not be compressed.", {"accept-encoding": "identity"})
        return _decoded(await self._body(request), "The body")

    async def _body(self, request: Request) -> bytes:
        """The body, of which no more is taken into memory than allowed."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise _Problem(413, f"The body is larger than {self._max_body_bytes} bytes.")
        return bytes(body)


def _check_method(request: Request) -> None:
    if request.method not in {"GET", "POST"}:
        raise _Problem(405, "Use GET or POST.", {"allow": "GET, POST"})


def _check_site(request: Request) -> None:
    """A GET that carries a cookie comes from our own pages, or could not come from a foreign one.

    A POST needs no such check: browsers ask before they send JSON for another site.
    """
    headers = request.headers
    if (
        "cookie" in headers
        and "authorization" not in headers
        and headers.get("sec-fetch-site") not in ("same-origin", "none")
        and not any(headers.get(name) for name in PREFLIGHT_HEADERS)
        and headers.get("content-type", "").partition(";")[0].strip().lower() != JSON
    ):
        message = f"With a cookie, send the content type {JSON} or the header"
        raise _Problem(403, f"{message} {PREFLIGHT_HEADERS[0]}.", code="FORBIDDEN")


def _framing(accept: Accept) -> Framing:
    for framing in _STREAMS:
        if framing.is_accepted(accept):
            return framing
    raise _Problem(
        406, f"Subscriptions need a WebSocket, or a request that accepts {EVENT_STREAM}."
    )


def _is_navigation(request: Request, accept: Accept) -> bool:
    if request.method != "GET" or "query" in request.query_params:
        return False
    return accept.best((*_SINGLE, HTML)) == HTML


def _check_content_type(header: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    charsets = [p.partition("=")[2].strip('" ') for p in parameters if p.startswith("charset")]
    if media_type != JSON or any(charset not in {"utf-8", "utf8"} for charset in charsets):
        raise _Problem(415, f"The body must have the content type {JSON}, encoded in UTF-8.")


def _query_parameters(request: Request) -> dict[str, object]:
    """The parameters of a GET; empty ones count as absent (GraphQL over HTTP, "GET")."""
    given: dict[str, object] = {
        name: value for name, value in request.query_params.items() if value
    }
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _decoded(str(given[name]), f"The parameter '{name}'")
    return given


def _decoded(text: str | bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _Problem(400, f"{what} is not valid JSON in UTF-8.") from None


def _parsed(body: object) -> GraphQLRequest:
    try:
        return parse_request(body)
    except RequestError as request_error:
        raise _Problem(400, str(request_error)) from None


def _failed(what: str) -> bytes:
    """With `data`, hence well-formed and 200: as if the error was in a field."""
    return encode({"data": None, "errors": [unexpected(what)]})


def _errors(errors: list[dict[str, Any]]) -> bytes:
    return encode({"errors": errors})


def _response(
    result: bytes,
    media_type: str,
    *,
    is_well_formed: bool = True,
    headers: Sequence[tuple[str, str]] = (),
) -> Response:
    """The answer to a request; one that is not well-formed was not executed."""
    if media_type == EVENT_STREAM:
        return event_stream_of(result, headers)
    # A client that asks for application/json cannot tell our 400 from a proxy's, so it gets 200
    # for whatever was well-formed (GraphQL over HTTP, section "application/json").
    status = 400 if media_type == RESPONSE_JSON and not is_well_formed else 200
    return _json(status, result, media_type, headers)


def _json(
    status: int,
    result: bytes,
    media_type: str,
    headers: Sequence[tuple[str, str]] = (),
) -> Response:
    if media_type == EVENT_STREAM:
        media_type = JSON
    content_type = f"{media_type}; charset=utf-8"
    response = Response(result, status, _HEADERS, media_type=content_type)
    for name, value in headers:
        response.headers.append(name, value)
    return response
