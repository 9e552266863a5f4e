"""Holds the steps of TRL's trainer within a distance of the policy before them, as `kernel/grpo/update/trustRegion.ts`."""

import inspect
import os
from unittest import mock

import torch
from transformers import TrainerCallback
from trl import GRPOTrainer

#: Halvings of a step, at most.
HALVINGS = 6
#: Unsloth's forward gives logits where these say so.
LOGITS = {"UNSLOTH_RETURN_LOGITS": "1", "UNSLOTH_RETURN_HIDDEN_STATES": "0"}


class TrustRegion(TrainerCallback):
    """Halves a step until the policy is within `target_kl` of the one before, in nats per token of the completions.

    The step may be any optimizer's. What is left after a few halvings is made. The log has `step_kl`, the distance, and
    `step_share`, the share of the step that was made.
    """

    def __init__(self, target_kl: float):
        self.target_kl = target_kl
        self.trainer: GRPOTrainer | None = None
        #: The micro-batches of the step, which the trainer adds.
        self.batches: list[dict] = []

    def on_step_begin(self, args, state, control, **_):
        # Those of a step that was not finished count no more.
        self.batches = []

    def on_pre_optimizer_step(self, args, state, control, **_):
        self.weights = [weight.detach().clone() for weight in self.trained()]
        self.logprobs = [self.score(batch) for batch in self.batches]

    def on_optimizer_step(self, args, state, control, **_):
        try:
            kl, share = self.distance(), 1.0
            for _ in range(HALVINGS):
                if kl <= self.target_kl:
                    break
                self.go_half_back()
                share /= 2
                kl = self.distance()
        except BaseException:
            self.restore()
            raise
        finally:
            self.weights, self.logprobs = [], []
        metrics = self.trainer._metrics["train"]
        metrics["step_kl"].append(kl)
        metrics["step_share"].append(share)

    def trained(self) -> list[torch.Tensor]:
        return [weight for group in self.trainer.optimizer.param_groups for weight in group["params"]]

    @torch.no_grad()
    def go_half_back(self) -> None:
        """Takes back half of the way from the weights before."""
        for weight, before in zip(self.trained(), self.weights):
            weight.add_((before - weight) / 2)

    @torch.no_grad()
    def restore(self) -> None:
        """Makes the weights what they were before, to the bit, also where the step has made them infinite."""
        for weight, before in zip(self.trained(), self.weights):
            weight.copy_(before)

    def distance(self) -> float:
        """The mean of r - 1 - log r over the sampled tokens of all processes, r being the ratio of their probabilities
        (http://joschu.net/blog/kl-approx.html)."""
        sums = torch.zeros(2, dtype=torch.float64, device=self.trainer.accelerator.device)
        for batch, before in zip(self.batches, self.logprobs):
            log, mask = self.score(batch) - before, batch["completion_mask"]
            sums += torch.stack([((log.exp() - 1 - log) * mask).sum(), mask.sum()]).double()
        kl, count = self.trainer.accelerator.reduce(sums, "sum").tolist()
        return kl / max(count, 1)

    @torch.no_grad()
    def score(self, batch: dict) -> torch.Tensor:
        """Log-probabilities of the tokens of completions, a row each, without dropout."""
        trainer = self.trainer
        model, ids = trainer.model, batch["completion_ids"]
        kept = ids.shape[1] + 1
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        keeps = {"logits_to_keep": kept} if "logits_to_keep" in inspect.signature(type(base).forward).parameters else {}
        was_training = model.training
        model.eval()
        try:
            with trainer.accelerator.autocast(), mock.patch.dict(os.environ, LOGITS):
                logits = model(
                    input_ids=torch.cat([batch["prompt_ids"], ids], 1),
                    attention_mask=torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1),
                    use_cache=False,
                    **keeps,
                ).logits[:, -kept:-1]
        finally:
            model.train(was_training)
        if logits.shape[-1] != model.get_input_embeddings().num_embeddings:
            raise ValueError("targetKl needs the scores of all tokens, which this model does not give: leave it out")
        return torch.stack([self.chosen(row, row_ids) for row, row_ids in zip(logits, ids)])

    def chosen(self, logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of a row's tokens. Rows are taken one by one: in float32 all scores are much memory."""
        scores = logits.float() / self.trainer.args.temperature
        return scores.gather(1, ids[:, None])[:, 0] - scores.logsumexp(-1)
