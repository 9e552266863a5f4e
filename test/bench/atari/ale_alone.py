"""
ale-py alone: plays recorded episodes, with ALE's own frame skip and nothing around it.

Reads `{"game", "frame_skip", "episodes": [[action names], …]}` as a line, says "ready",
waits for a line, then prints `{"seconds", "score"}`.
"""

import json
import sys
import time

from ale_py import Action, ALEInterface, LoggerMode, roms

asked = json.loads(sys.stdin.readline())
ALEInterface.setLoggerMode(LoggerMode.Error)
ale = ALEInterface()
ale.setInt("random_seed", 0)
ale.setInt("frame_skip", asked["frame_skip"])
ale.setFloat("repeat_action_probability", 0.0)
ale.loadROM(roms.get_rom_path(asked["game"]))
ale.reset_game()
start = ale.cloneState()
episodes = [[getattr(Action, name) for name in names] for names in asked["episodes"]]
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    score = 0
    for actions in episodes:
        ale.restoreState(start)
        for action in actions:
            score += ale.act(action)
            ale.getRAM()
    print(json.dumps({"seconds": time.perf_counter() - began, "score": score}), flush=True)
