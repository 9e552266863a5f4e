"""OpenEnv's own client plays a server: several sessions at once, also with wrong actions. Prints JSON."""

import asyncio
import json
import sys

from openenv.core.generic_client import GenericEnvClient


async def play(url: str, seed: int) -> dict:
    """Finds the number by halving; returns what happened."""
    async with GenericEnvClient(base_url=url) as env:
        start = await env.reset(seed=seed, episode_id=f"episode-{seed}")
        low, high, hints = 1, 100, []
        errors = []
        for wrong in ({"number": 101}, {"nubmer": 5}, {"number": 13}):
            try:
                await env.step(wrong)
            except Exception as error:
                errors.append(str(error))
        while True:
            guess = (low + high) // 2
            result = await env.step({"number": guess})
            hints.append(result.observation["hint"])
            if result.done:
                break
            low, high = (guess + 1, high) if hints[-1] == "low" else (low, guess - 1)
        state = await env.state()
        return {"start": start.observation, "startReward": start.reward, "guess": guess, "reward": result.reward, "errors": errors, "state": state}


async def main(url: str) -> None:
    games = await asyncio.gather(*(play(url, seed) for seed in range(8)))
    again = await asyncio.gather(*(play(url, seed) for seed in range(8)))
    print(json.dumps({"games": games, "again": again}))


asyncio.run(main(sys.argv[1]))
