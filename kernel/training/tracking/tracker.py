"""Gives the metrics of a run to Trackio or to Weights & Biases, by the client of each.

    python tracker.py trackio|wandb

Reads JSON lines: first the run `{project, name, id, config}`, then `{metrics, step}` for
each entry of its log. The run is finished when the input ends. Writes JSON lines: `{place}`
once the client has begun, `{problem}` for what it could not do.
"""

import json
import os
import signal
import sys
import warnings

# What the clients print is theirs: the answers have a descriptor of their own.
ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def answer(**fields):
    try:
        print(json.dumps(fields), file=ANSWERS, flush=True)
    except OSError:
        pass  # The kernel has ended.


def warn(message, *_args, **_more):
    answer(problem=str(message).strip())


def trackio_run(run):
    import trackio

    # Its client warns where it cannot write, and goes on.
    warnings.showwarning = warn
    trackio.init(
        project=run["project"],
        name=run["name"],
        config=run["config"],
        resume="allow",
        embed=False,
    )
    place = trackio.context_vars.current_server.get()
    answer(place=place or f'trackio show --project "{run["project"]}"', local=place is None)
    return lambda metrics, step: trackio.log(metrics, step=step), trackio.finish


def wandb_run(run):
    # Nothing is sent unless the user says so.
    os.environ.setdefault("WANDB_MODE", "offline")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    os.environ.setdefault("WANDB_CONSOLE", "off")
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    offline = os.environ["WANDB_MODE"] != "online"
    begun = wandb.init(
        project=os.environ.get("WANDB_PROJECT", run["project"]),
        name=run["name"],
        id=run["id"],
        config=run["config"],
        **({} if offline else {"resume": "allow"}),
    )
    begun.define_metric("train/global_step")
    begun.define_metric("*", step_metric="train/global_step", step_sync=True)
    folder = os.path.dirname(begun.dir)
    answer(place=f"wandb sync {os.path.relpath(folder)}" if offline else begun.url, local=offline)
    return lambda metrics, _step: begun.log(metrics), begun.finish


def main():
    # An interrupt is for the cell that trains.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = (json.loads(line) for line in sys.stdin)
    run = next(lines, None)
    if run is None:
        return
    log, finish = {"trackio": trackio_run, "wandb": wandb_run}[sys.argv[1]](run)
    for line in lines:
        log(line["metrics"], line["step"])
    finish()


try:
    main()
except Exception as error:  # Of any kind: whatever the client has found.
    answer(problem=f"{type(error).__name__}: {error}")
    sys.exit(1)
