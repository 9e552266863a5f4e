/** An environment's server in a few lines of Python, since OpenEnv's own takes seconds to import. */
export const TINY = `
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"status": "healthy", "name": "tiny", "description": ""}'})
    elif scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            if message["type"] == "websocket.receive":
                kind = "state" if '"state"' in message["text"] else "observation"
                await send({"type": "websocket.send", "text": '{"type": "%s", "data": {"observation": {"n": 1}, "reward": 1, "done": false}}' % kind})
`;
