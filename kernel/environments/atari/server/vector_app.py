"""The vector endpoint alone. It leaves out the imports of OpenEnv, which take seconds: for more processes of a running environment."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from .options import AtariOptions
from .serve import serve
from .vector import vector_route


async def health(request) -> JSONResponse:
    return JSONResponse({"status": "healthy"})


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/health", health), vector_route(AtariOptions())]))
