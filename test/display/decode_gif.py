"""Prints the frames of a GIF (standard input) as JSON: their durations and the SHA-256 of their RGB pixels."""

import hashlib
import io
import json
import sys

from PIL import Image

image = Image.open(io.BytesIO(sys.stdin.buffer.read()))
frames = []
for index in range(image.n_frames):
    image.seek(index)
    rgb = image.convert("RGB")
    frames.append({"duration": image.info["duration"], "size": rgb.size, "sha256": hashlib.sha256(rgb.tobytes()).hexdigest()})
print(json.dumps({"loop": image.info.get("loop"), "frames": frames}))
