"""Completions outside of training."""

import torch
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from .channel import Channel, ragged, unragged

#: Sequences whose log-probabilities are computed at once.
AT_ONCE = 8


def generate(model, tokenizer, message: dict, channel: Channel) -> tuple[dict, dict]:
    """Completes prompts. Returns the fields and the parts of the answer: completions, and log-probabilities where asked for."""
    prompts = unragged(message["ids"], message["lengths"])
    settings = dict(message["settings"])
    if "seed" in message:
        torch.manual_seed(message["seed"])
    width = max(len(ids) for ids in prompts)
    pad = tokenizer.pad_token_id
    device = model.device
    input_ids = torch.tensor([[pad] * (width - len(ids)) + ids for ids in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts], device=device)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            output = model.generate(
                input_ids=input_ids,
                attention_mask=mask,
                pad_token_id=pad,
                streamer=Tokens(channel, message["id"]) if message.get("stream") else None,
                stopping_criteria=StoppingCriteriaList([Cancelled(channel)]),
                **({"stop_strings": message["stopStrings"], "tokenizer": tokenizer} if message.get("stopStrings") else {}),
                **settings,
            )
            completions, ended = cut(output[:, width:].tolist(), message["eosTokenIds"])
            parts = ragged(completions)
            if message.get("logprobs"):
                repeated = [ids for ids in prompts for _ in range(len(completions) // len(prompts))]
                parts["logprobs"] = logprobs(model, repeated, completions, pad, settings.get("temperature") or 1.0)
    finally:
        model.train(was_training)
    return {"ended": ended}, parts


def cut(rows: list[list[int]], ends: list[int]) -> tuple[list[list[int]], list[bool]]:
    """Completions up to their first end token, which stays, and whether there was one."""
    completions, ended = [], []
    for row in rows:
        at = next((i for i, id_ in enumerate(row) if id_ in ends), None)
        completions.append(row if at is None else row[: at + 1])
        ended.append(at is not None)
    return completions, ended


def logprobs(model, prompts, completions, pad: int, temperature: float):
    """Log-probability of each token of the completions, one after the other."""
    found = []
    for start in range(0, len(prompts), AT_ONCE):
        rows = [p + c for p, c in zip(prompts[start : start + AT_ONCE], completions[start : start + AT_ONCE])]
        width = max(len(row) for row in rows)
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows], device=model.device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=model.device)
        scores = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float() / temperature
        of_tokens = scores.gather(2, ids[:, 1:, None])[..., 0] - scores.logsumexp(-1)
        for i, row in enumerate(rows):
            first = len(prompts[start + i]) - 1
            found.append(of_tokens[i, first : len(row) - 1].cpu())
    return torch.cat(found).numpy()


class Tokens(BaseStreamer):
    """Sends each token of a single completion as it comes."""

    def __init__(self, channel: Channel, id_: int):
        self.channel, self.id, self.is_prompt = channel, id_, True

    def put(self, value):
        if self.is_prompt:
            self.is_prompt = False
            return
        self.channel.send("token", of=self.id, token=int(value.flatten()[0]))

    def end(self):
        pass


class Cancelled(StoppingCriteria):
    """Ends a generation that nobody waits for any more."""

    def __init__(self, channel: Channel):
        self.channel = channel

    def __call__(self, input_ids, scores, **_):
        return torch.full((input_ids.shape[0],), self.channel.cancelled.is_set(), device=input_ids.device)
