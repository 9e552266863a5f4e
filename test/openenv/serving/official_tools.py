"""OpenEnv's own tool client plays a server whose environment has tools. Prints JSON."""

import asyncio
import json
import sys

from openenv.core.mcp_client import MCPToolClient


async def main(url: str) -> None:
    told = {}
    async with MCPToolClient(base_url=url) as env:
        async with MCPToolClient(base_url=url) as other:
            await env.reset()
            await other.reset()
            told["tools"] = [tool.name for tool in await env.list_tools()]
            told["add"] = await env.call_tool("add", a=2, b=3)
            # The tool and the steps are of one session, which is not the other's.
            told["noted"] = [await env.call_tool("note", text="mine"), await env.call_tool("note", text="mine, too"), await other.call_tool("note", text="other")]
            state = await env.state()
            told["steps"] = state.step_count
            try:
                await env.call_tool("missing")
            except RuntimeError as error:
                told["missing"] = str(error)
    print(json.dumps(told))


asyncio.run(main(sys.argv[1]))
