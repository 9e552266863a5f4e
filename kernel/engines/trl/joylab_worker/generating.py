"""Completions outside of training."""

import contextlib
import random

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from transformers.generation.logits_process import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from .channel import Channel, unragged


def generate(model, tokenizer, message: dict, channel: Channel) -> None:
    """Completes prompts, a row for each. Every token is sent as it comes: `tokens` and `logprobs`, one per row; those
    after the end of a row mean nothing."""
    prompts = unragged(message["ids"], message["lengths"])
    width = max(len(ids) for ids in prompts)
    pad = tokenizer.pad_token_id
    device = model.device
    input_ids = torch.tensor([[pad] * (width - len(ids)) + ids for ids in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts], device=device)
    stops = message.get("stopStrings")
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=message["maxNewTokens"],
        min_new_tokens=message["minNewTokens"] or None,
        repetition_penalty=message["repetitionPenalty"],
        pad_token_id=pad,
        eos_token_id=message["eosTokenIds"] or None,
    )
    with evaluating(model, message):
        model.generate(
            input_ids=input_ids,
            attention_mask=mask,
            generation_config=settings,
            logits_processor=LogitsProcessorList([Choice(message, channel)]),
            stopping_criteria=StoppingCriteriaList([Cancelled(channel)]),
            **({"stop_strings": stops, "tokenizer": tokenizer} if stops else {}),
        )


def logits(model, message: dict) -> torch.Tensor:
    """Logits of the token after each of a sequence."""
    with evaluating(model, message):
        ids = torch.tensor([message["ids"].tolist()], device=model.device)
        return model(input_ids=ids).logits[0].float().cpu().numpy()


@contextlib.contextmanager
def evaluating(model, message: dict):
    """The model as it generates: without dropout, and where that is asked for without its adapter."""
    was_training = model.training
    plain = message.get("withoutAdapter") and hasattr(model, "disable_adapter")
    model.eval()
    try:
        with torch.no_grad(), model.disable_adapter() if plain else contextlib.nullcontext():
            yield
    finally:
        model.train(was_training)


class Choice(LogitsProcessor):
    """Chooses the next token of each row and leaves no other possible.

    A row has random numbers of its own, so that it is the same whatever else is
    generated with it, and what the trainer draws does not depend on it.
    """

    def __init__(self, message: dict, channel: Channel):
        self.temperature = message["temperature"]
        self.random = [random.Random(int(seed)) for seed in message["seeds"]]
        self.channel = channel
        self.filters = LogitsProcessorList(
            [
                *([TopKLogitsWarper(message["topK"])] if message["topK"] else []),
                *([TopPLogitsWarper(message["topP"])] if message["topP"] < 1 else []),
                *([MinPLogitsWarper(message["minP"])] if message["minP"] else []),
            ]
        )

    def __call__(self, input_ids, scores):
        scores = scores.float() / (self.temperature or 1)
        tokens = self.sample(self.filters(input_ids, scores)) if self.temperature else scores.argmax(-1)
        logprobs = scores.gather(1, tokens[:, None])[:, 0] - scores.logsumexp(-1)
        parts = {"tokens": tokens.int().cpu().numpy(), "logprobs": logprobs.cpu().numpy()}
        self.channel.send("tokens", parts)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None], 0)

    def sample(self, scores: torch.Tensor) -> torch.Tensor:
        cumulative = scores.softmax(-1).double().cumsum(-1)
        drawn = torch.tensor([row.random() for row in self.random], dtype=torch.float64, device=scores.device)
        return torch.searchsorted(cumulative, (drawn * cumulative[:, -1])[:, None], right=True)[:, 0]


class Cancelled(StoppingCriteria):
    """Ends a generation that nobody waits for any more."""

    def __init__(self, channel: Channel):
        self.channel = channel

    def __call__(self, input_ids, scores, **_):
        return torch.full((input_ids.shape[0],), self.channel.cancelled.is_set(), device=input_ids.device)
