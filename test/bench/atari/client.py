"""
OpenEnv's Python client plays one session, in turn the actions of the game. `client.py URL official|generic STEPS`:
says "ready", waits for a line, then prints `{"seconds", "steps"}`.
"""

import json
import os
import sys
import time

url, kind, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
if kind == "official":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "environments"))
    from official_atari.client import AtariEnv as Client
    from official_atari.models import AtariAction
else:
    from openenv.core.generic_client import GenericEnvClient as Client

with Client(base_url=url).sync() as env:
    first = env.reset() if kind == "official" else env.reset(seed=1)
    legal = first.observation.legal_actions if kind == "official" else first.observation["legal_actions"]
    actions = [AtariAction(action_id=i) if kind == "official" else {"action_id": i} for i in legal]
    print("ready", flush=True)
    for line in sys.stdin:
        done = False
        env.reset() if kind == "official" else env.reset(seed=1)
        began = time.perf_counter()
        for step in range(steps):
            if done:
                env.reset() if kind == "official" else env.reset(seed=1)
            done = env.step(actions[step * 7 % len(actions)]).done
        print(json.dumps({"seconds": time.perf_counter() - began, "steps": steps}), flush=True)
