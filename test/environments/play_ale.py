"""ALE itself, without any of Joylab's code: frame skip 4, no sticky actions. Prints a hash of the memory after every step."""

import hashlib
import json
import sys

from ale_py import ALEInterface, LoggerMode, roms

game, steps = sys.argv[1], int(sys.argv[2])
ALEInterface.setLoggerMode(LoggerMode.Error)
ale = ALEInterface()
ale.setInt("random_seed", 0)
ale.setInt("frame_skip", 4)
ale.setFloat("repeat_action_probability", 0.0)
ale.loadROM(roms.get_rom_path(game))
ale.reset_game()
actions = ale.getMinimalActionSet()
memory = hashlib.sha256(ale.getRAM().tobytes())
rewards = []
for step in range(steps):
    rewards.append(ale.act(actions[step * 7 % len(actions)]))
    memory.update(ale.getRAM().tobytes())
    if ale.game_over():
        break
print(json.dumps({"memory": memory.hexdigest(), "score": sum(rewards), "actions": [action.name for action in actions]}))
