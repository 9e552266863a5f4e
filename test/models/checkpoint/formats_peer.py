"""What safetensors and Python's regular expressions accept."""

import re
import warnings

from peer import serve
from safetensors import safe_open

warnings.simplefilter("ignore")


def opens(files):
    """For each file None, or why safetensors does not open it."""
    answers = []
    for file in files:
        try:
            with safe_open(file, "np") as opened:
                list(opened.keys())
            answers.append(None)
        except Exception as error:
            answers.append(str(error))
    return answers


def fullmatch(patterns, keys):
    """For each pattern which keys it is the whole of, or None where it is not valid."""
    answers = []
    for pattern in patterns:
        try:
            answers.append([re.fullmatch(pattern, key) is not None for key in keys])
        except re.error:
            answers.append(None)
    return answers


serve({"opens": opens, "fullmatch": fullmatch})
