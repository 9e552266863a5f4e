"""
What stands before the application: who may ask, how large and how deep a message is, how long one
may take, and who has a place. OpenEnv's routes see nothing else.

A served class has the same rules (kernel/openenv/serving), and the tests ask both the same questions.
"""

import asyncio
import json
from typing import Any, Awaitable, Callable, MutableMapping, Optional

from .limits import BODY_TIMEOUT, MAXIMUM_MESSAGE
from .message import BadParameters, NotAnObject, NotJson, read_json, read_object, read_request, read_text
from .origin import Access, is_loopback
from .places import YIELDED, Places, Session

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

#: Where JSON is read, whatever its sender calls it.
_JSON_ROUTES = ("/reset", "/step", "/mcp")
#: Characters of an error; with more, its list of problems is cut.
_LONG_ERROR = 20_000


class Refused(Exception):
    """A request that is not passed on, and the status of its answer."""

    def __init__(self, status: int, detail: Any):
        self.status, self.detail = status, detail


class Guard:
    """Middleware of the application."""

    def __init__(self, app: Callable, access: Access, places: Places):
        self._app, self._access, self._places = app, access, places

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(_at_path(scope), receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Event, receive: Receive, send: Send) -> None:
        try:
            self._check_access(scope, plays=scope["method"] not in ("GET", "HEAD", "OPTIONS"))
            if scope["method"] == "CONNECT":
                raise Refused(405, "Method Not Allowed")
            body = await _body(receive)
            request = _json_of(scope, body)
        except Refused as refused:
            return await _answer(send, refused.status, {"detail": refused.detail})
        except RpcError as error:
            return await _answer(send, 200, error.answer)
        if request is not None:
            scope = {**scope, "headers": [it for it in scope["headers"] if it[0] != b"content-type"] + [(b"content-type", b"application/json")]}
        if scope["path"] == "/mcp" and request is not None:
            await self._rpc(scope, body, request, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)

    async def _rpc(self, scope: Event, body: bytes, request: dict, receive: Receive, send: Send) -> None:
        """A request of JSON-RPC: some make sessions, end or use one."""
        method, params = request.get("method"), request.get("params")
        name = params.get("session_id") if isinstance(params, dict) else None
        if method == "openenv/session/create":
            await self._places.make_room()
        session = self._places.find(name)
        if session:
            session.played |= method == "tools/call"
            session.touch(1)
        parts: list[bytes] = []

        async def keep(event: Event) -> None:
            parts.append(event.get("body", b""))
            await send(event)

        try:
            await self._app(scope, _again(body, receive), keep)
        finally:
            if session:
                session.touch(-1)
        self._note(scope, method, name, b"".join(parts))

    def _note(self, scope: Event, method: Any, name: Any, answer: bytes) -> None:
        """Learns from an answer which sessions there are."""
        try:
            result = json.loads(answer)["result"]
        except (ValueError, KeyError, TypeError):
            return
        if not isinstance(result, dict):
            return
        if method == "openenv/session/create":
            made = result.get("session_id")
            self._places.take(Session(end=lambda: self._close(scope, made)), made)
        elif method == "openenv/session/close" and (session := self._places.find(name)) and (result.get("closed") or result.get("closing")):
            self._places.free(session)

    async def _close(self, scope: Event, name: str) -> None:
        """Ends a session that was made over HTTP, as its client would."""
        request = {"jsonrpc": "2.0", "id": 0, "method": "openenv/session/close", "params": {"session_id": name}}

        async def receive() -> Event:
            return {"type": "http.request", "body": json.dumps(request).encode(), "more_body": False}

        async def send(event: Event) -> None:
            pass

        await self._app({**scope, "path": "/mcp", "raw_path": b"/mcp"}, receive, send)

    async def _websocket(self, scope: Event, receive: Receive, send: Send) -> None:
        try:
            self._check_access(scope, plays=True)
        except Refused:
            return await send({"type": "websocket.close", "code": 1008})
        await Connection(self._app, self._places, scope, receive, send).serve()

    def _check_access(self, scope: Event, plays: bool) -> None:
        hosts, origins = _headers(scope, b"host"), _headers(scope, b"origin")
        local = self._access.local
        if local is None:
            local = bool(scope.get("server")) and is_loopback(scope["server"][0])
        refused = self._access.refused_host(hosts, local)
        if plays and not refused:
            refused = self._access.refused_origin(origins, hosts[0] if hosts else "", local)
        if refused:
            raise Refused(403, refused)


class Connection:
    """A WebSocket connection, between the server and the application."""

    def __init__(self, app: Callable, places: Places, scope: Event, receive: Receive, send: Send):
        self._app, self._places, self._scope, self._receive, self._send = app, places, scope, receive, send
        self._ended = False
        #: Whether the application has a message to answer.
        self._busy = False
        self._playing: Optional[asyncio.Future] = None
        self._session = Session(end=self.end)

    async def serve(self) -> None:
        name = _query(self._scope).get("session_id")
        held = self._places.find(name) if self._scope["path"] == "/ws" and name else None
        if held and held.leave is None:
            self._session = held
            held.leave = self.end
            held.touch()
        elif name is None and self._scope["path"] in ("/ws", "/mcp"):
            await self._places.make_room()
            self._places.take(self._session)
        self._playing = asyncio.ensure_future(self._app(self._scope, self._next, self._answer))
        try:
            await self._playing
        except asyncio.CancelledError:
            if not self._ended:
                self._playing.cancel()
                raise
        finally:
            self._set_busy(False)
            if self._session is held:
                held.leave = None
            else:
                self._places.free(self._session)

    async def end(self) -> None:
        """Ends the session, whose place is wanted. Returns when the application has let go of it."""
        await self._answer(_error("SESSION_ERROR", YIELDED))
        await self._answer({"type": "websocket.close", "code": 1000})
        self._ended = True
        if self._playing:
            self._playing.cancel()
            await asyncio.wait([self._playing])

    async def _answer(self, event: Event) -> None:
        if not self._ended:
            await self._send(_shortened(event))

    async def _next(self) -> Event:
        """The next message that the application can read; others are answered here."""
        self._set_busy(False)
        while True:
            event = await self._receive()
            if event["type"] != "websocket.receive":
                return event
            self._session.touch()
            try:
                text = event["text"].removeprefix("\ufeff") if event.get("text") is not None else read_text(event["bytes"])
                message = (read_request if self._scope["path"] == "/mcp" else read_object)(text)
            except ValueError as error:
                await self._answer(self._refusal(error))
                continue
            self._session.played |= message.get("type") in ("reset", "step", "mcp") or message.get("method") == "tools/call"
            self._set_busy(True)
            return {"type": "websocket.receive", "text": text}

    def _set_busy(self, busy: bool) -> None:
        if busy != self._busy:
            self._busy = busy
            self._session.touch(1 if busy else -1)

    def _refusal(self, error: ValueError) -> Event:
        if self._scope["path"] == "/mcp":
            return {"type": "websocket.send", "text": json.dumps(RpcError(error).answer)}
        if isinstance(error, NotJson):
            return _error("INVALID_JSON", f"Invalid JSON: {error}")
        return _error("VALIDATION_ERROR", f"Invalid message: {error}")


class RpcError(Exception):
    """What a request in JSON-RPC is that is none, and the answer to it."""

    def __init__(self, error: ValueError):
        if isinstance(error, BadParameters):
            code, message = -32602, str(error)
        elif isinstance(error, NotAnObject):
            code, message = -32600, f"Invalid request: {error}"
        else:
            code, message = -32700, f"Parse error: {error}"
        self.answer = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}


def _error(code: str, message: str) -> Event:
    return {"type": "websocket.send", "text": json.dumps({"type": "error", "data": {"message": message, "code": code}})}


def _shortened(event: Event) -> Event:
    """Without the many problems that a message of thousands of fields has, each of which quotes its field."""
    text = event.get("text") or ""
    if len(text) < _LONG_ERROR or not text.startswith('{"type":"error"'):
        return event
    answer = json.loads(text)
    data = answer["data"]
    if "errors" in data:
        data["errors"] = few(data["errors"])
    data["message"] = str(data.get("message"))[:1000]
    return {"type": "websocket.send", "text": json.dumps(answer)}


def few(problems: list) -> list:
    """The first of pydantic's problems, without long inputs."""
    return [{name: value for name, value in problem.items() if name != "input" or len(str(value)) <= 200} for problem in problems[:20]]


def _at_path(scope: Event) -> Event:
    """A request may name its target by an absolute address."""
    address = scope["path"]
    if not address.lower().startswith(("http://", "https://")):
        return scope
    path = "/" + address.split("://", 1)[1].partition("/")[2]
    return {**scope, "path": path, "raw_path": path.encode()}


def _headers(scope: Event, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _query(scope: Event) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(scope["query_string"].decode("latin-1")))


async def _body(receive: Receive) -> bytes:
    """The body of a request, which has an end in size and time."""
    try:
        return await asyncio.wait_for(_read(receive), BODY_TIMEOUT)
    except asyncio.TimeoutError:
        raise Refused(408, "The request took too long to arrive.") from None


async def _read(receive: Receive) -> bytes:
    parts, size, more = [], 0, True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            raise Refused(400, "The request ended before its body did.")
        parts.append(event.get("body", b""))
        size += len(parts[-1])
        if size > MAXIMUM_MESSAGE:
            raise Refused(413, f"A message may have {MAXIMUM_MESSAGE} bytes at most.")
        more = event.get("more_body", False)
    return b"".join(parts)


def _json_of(scope: Event, body: bytes) -> Any:
    """What a body says, where it is to be JSON."""
    is_json = scope["path"] in _JSON_ROUTES or any(it.startswith("application/json") for it in _headers(scope, b"content-type"))
    if scope["method"] != "POST" or not is_json or (not body.strip() and scope["path"] != "/mcp"):
        return None
    try:
        return (read_request if scope["path"] == "/mcp" else read_json)(read_text(body))
    except ValueError as error:
        if scope["path"] == "/mcp":
            raise RpcError(error) from None
        kind, words = ("json_invalid", f"JSON decode error: {error}") if isinstance(error, NotJson) else ("value_error", str(error))
        raise Refused(422, [{"type": kind, "loc": ["body"], "msg": words}]) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read once more."""
    given = False

    async def next_event() -> Event:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_event


async def _answer(send: Send, status: int, content: Any) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
