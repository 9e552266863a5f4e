"""The FastAPI application: OpenEnv's standard routes."""

import os
import sys
from functools import partial

# Two thirds of the time that OpenEnv takes to load are a web page that is shown on demand alone, and a
# grammar by which jsonschema checks IRIs, of which there are none here. Both packages may be absent.
if os.environ.get("ENABLE_WEB_INTERFACE", "false").lower() not in ("true", "1", "yes"):
    sys.modules["gradio"] = None
sys.modules["rfc3987_syntax"] = None

from openenv.core.env_server.http_server import create_app
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from .environment import AtariEnvironment
from .models import AtariObservation, AtariState, action_model
from .options import AtariOptions, explain, options_from_environment
from .pool import pool

#: Sessions that one server plays at a time.
MAX_SESSIONS = 64


def make_app(options: AtariOptions):
    """An application that serves one kind of environment."""
    game = pool.take(options)
    actions = game.actions
    pool.give_back(game)
    app = create_app(
        partial(AtariEnvironment, options, actions),
        action_model(actions),
        AtariObservation,
        env_name="atari",
        max_concurrent_envs=MAX_SESSIONS,
        state_cls=AtariState,
    )
    app.add_exception_handler(ValidationError, unprocessable)
    return app


async def unprocessable(request: Request, error: ValidationError) -> JSONResponse:
    """Arguments of a POST that are not valid: the sender's fault, not the server's."""
    return JSONResponse({"detail": error.errors(include_url=False)}, status_code=422)


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
