"""The FastAPI application: OpenEnv's standard routes."""

import os
import sys
from functools import partial

# Two thirds of the time that OpenEnv takes to load are a web page that is shown on demand alone, and a
# grammar by which jsonschema checks IRIs, of which there are none here. Both packages may be absent.
if os.environ.get("ENABLE_WEB_INTERFACE", "false").lower() not in ("true", "1", "yes"):
    sys.modules["gradio"] = None
sys.modules["rfc3987_syntax"] = None

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.types import ConcurrencyConfig
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from .environment import AtariEnvironment
from .guard import Guard, few
from .limits import IDLE
from .models import AtariObservation, AtariState, action_model
from .options import AtariOptions, explain, options_from_environment
from .origin import Access
from .places import Places
from .pool import pool

#: Sessions that one server plays at a time.
MAX_SESSIONS = 64


def make_app(options: AtariOptions, capacity: int = MAX_SESSIONS, **patience: float):
    """An application that serves one kind of environment. `patience` is that of its places."""
    game = pool.take(options)
    actions = game.actions
    pool.give_back(game)
    app = create_app(
        partial(AtariEnvironment, options, actions),
        action_model(actions),
        AtariObservation,
        env_name="atari",
        concurrency_config=ConcurrencyConfig(max_concurrent_envs=capacity, session_timeout=IDLE),
        state_cls=AtariState,
    )
    for kind in (ValidationError, RequestValidationError):
        app.add_exception_handler(kind, unprocessable)
    app.add_exception_handler(HTTPException, explained)
    app.add_exception_handler(Exception, failed)
    #: Whom the server lets in: what starts it may know more.
    app.state.access = Access()
    app.add_middleware(Guard, access=app.state.access, places=Places(capacity, **patience))
    return app


async def unprocessable(request: Request, error) -> JSONResponse:
    """Arguments of a POST that are not valid: the sender's fault, not the server's."""
    problems = error.errors(include_url=False) if isinstance(error, ValidationError) else error.errors()
    return JSONResponse({"detail": jsonable_encoder(few(problems))}, status_code=422)


async def explained(request: Request, error: HTTPException) -> JSONResponse:
    """An error that a route tells."""
    detail = jsonable_encoder(few(error.detail)) if isinstance(error.detail, list) else error.detail
    return JSONResponse({"detail": detail}, status_code=error.status_code, headers=error.headers)


async def failed(request: Request, error: Exception) -> JSONResponse:
    """What nobody expected; the log has more."""
    return JSONResponse({"detail": f"{type(error).__name__}: {error}"[:1000]}, status_code=500)



try:
    app = make_app(options_from_environment())
except ValidationError as error:
    sys.exit(explain(error))
except ValueError as error:
    sys.exit(str(error))


def main() -> None:
    """Serves the application: `python -m server.app --port 8000`."""
    from .serve import serve

    serve(app)


if __name__ == "__main__":
    main()
