"""OpenEnv's own client plays a server: prints what it saw as one line of JSON."""

import hashlib
import json
import sys

from openenv.core.generic_client import GenericEnvClient

url, seed, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with GenericEnvClient(base_url=url).sync() as env:
    result = env.reset(seed=seed, episode_id="official")
    actions = len(result.observation["legal_actions"])
    memory = hashlib.sha256(bytes(result.observation["ram"]))
    rewards = []
    for step in range(steps):
        result = env.step({"action_id": step * 7 % actions})
        memory.update(bytes(result.observation["ram"]))
        rewards.append(result.reward)
        if result.done:
            break
    state = env.state()
    refused = []
    for call in (lambda: env.step({"action_id": actions}), lambda: env.reset(sead=1)):
        try:
            call()
        except Exception as error:
            refused.append(str(error))

print(json.dumps({
    "rewards": rewards,
    "memory": memory.hexdigest(),
    "meanings": result.observation["action_meanings"],
    "state": {name: state[name] for name in ("episode_id", "seed", "step_count", "score")},
    "refused": refused,
}))
