"""What ALE knows of its games: actions, modes, difficulties, and the colours of a few frames."""

import json
import random

import numpy as np
from ale_py import ALEInterface, LoggerMode, roms

ALEInterface.setLoggerMode(LoggerMode.Error)
facts = {}
for game in roms.get_all_rom_ids():
    if not ALEInterface.isSupportedROM(roms.get_rom_path(game)):
        continue
    ale = ALEInterface()
    ale.loadROM(roms.get_rom_path(game))
    colours = {}
    random.seed(0)
    for frame in range(60):
        ale.act(random.choice(ale.getMinimalActionSet()))
        if frame % 20 == 0:
            codes, first = np.unique(ale.getScreen(), return_index=True)
            rgb = ale.getScreenRGB().reshape(-1, 3)
            colours.update({int(code): rgb[at].tolist() for code, at in zip(codes, first)})
    facts[game] = {
        "minimal": [action.name for action in ale.getMinimalActionSet()],
        "legal": [action.name for action in ale.getLegalActionSet()],
        "colours": colours,
        "modes": ale.getAvailableModes(),
        "difficulties": ale.getAvailableDifficulties(),
    }
print(json.dumps(facts))
