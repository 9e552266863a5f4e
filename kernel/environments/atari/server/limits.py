"""What the server bears from its clients. Served classes have the same rules: see kernel/openenv/serving/protocol/limits.ts."""

#: Bytes of a message: an action has twenty.
MAXIMUM_MESSAGE = 2**20
#: Arrays and objects in arrays and objects: pydantic writes no errors about what is deeper than 200.
MAXIMUM_NESTING = 128
#: Seconds that the head of a request has to arrive, also where nothing has come yet, and then its body.
HEAD_TIMEOUT = 20.0
BODY_TIMEOUT = 100.0
#: Connections that are open at a time.
MAXIMUM_CONNECTIONS = 1024
#: Seconds after which a session gives its place to who asks for one on a full server: one that was never
#: played, and one that was, whose client may think for long.
UNPLAYED = 30.0
PLAYED = 15 * 60.0
#: Seconds without a request, after which a session without a connection is closed.
IDLE = 30 * 60.0
