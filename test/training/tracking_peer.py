"""Reads what Trackio and Weights & Biases have of runs: by Trackio's own reader, and by W&B's own records."""

import json
import struct
import sys
from pathlib import Path


def trackio(project):
    from trackio.sqlite_storage import SQLiteStorage

    return [
        {
            "name": run,
            "config": SQLiteStorage.get_run_config(project, run),
            "log": [
                {key: value for key, value in entry.items() if key != "timestamp"}
                for entry in SQLiteStorage.get_logs(project, run)
            ],
        }
        for run in SQLiteStorage.get_runs(project)
    ]


def records(path):
    """Yields the records of W&B's transaction log: LevelDB's format behind a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data = Path(path).read_bytes()
    assert data[:4] == b":W&B"
    position, parts = 7, b""
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
        _checksum, length, kind = struct.unpack("<IHB", data[position : position + 7])
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield Record.FromString(parts)
            parts = b""


def wandb(folder):
    runs = []
    for path in sorted(Path(folder).glob("offline-run-*/*.wandb")):
        run = {"config": {}, "log": []}
        for record in records(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run.update(id=record.run.run_id, project=record.run.project, name=record.run.display_name)
                run["config"].update({item.key: json.loads(item.value_json) for item in record.run.config.update})
            if kind == "history":
                items = {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in record.history.item}
                run["log"].append({key: value for key, value in items.items() if not key.startswith("_")})
            if kind == "exit":
                run["exit"] = record.exit.exit_code
        runs.append(run)
    return runs


print(json.dumps({"trackio": trackio, "wandb": wandb}[sys.argv[1]](sys.argv[2])))
