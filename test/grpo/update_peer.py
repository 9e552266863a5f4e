"""Updates of a policy by TRL's GRPOTrainer on given completions and advantages."""

import tempfile

import torch
from datasets import Dataset
from peer import serve
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from tokenizers import Tokenizer, models
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import use_adapter

torch.set_num_threads(1)


def make_model(folder, **settings):
    """A random checkpoint, with a tokenizer because a model folder has one."""
    torch.manual_seed(0)
    sizes = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    # Without a padding token: PyTorch would not train its embedding.
    config = LlamaConfig(**sizes, max_position_embeddings=64, eos_token_id=0, bos_token_id=None, pad_token_id=None, **settings)
    model = LlamaForCausalLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if parameter.dim() == 1 else 0.0, std=0.2)
    model.save_pretrained(folder)
    words = {"<eos>": 0, **{f"w{i}": i for i in range(1, 64)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w1"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>").save_pretrained(folder)


def padded(rows, width, left=False, fill=0):
    missing = [[fill] * (width - len(row)) for row in rows]
    return torch.tensor([gap + row if left else row + gap for row, gap in zip(rows, missing)])


def trainer_inputs(batch):
    """The batch as TRL prepares it: prompts padded on the left, completions on the right."""
    prompts = [batch["promptIds"][i] for i in batch["promptOf"]]
    completions = batch["completionIds"]
    longest_prompt, longest = max(map(len, prompts)), max(map(len, completions))
    masks = batch.get("mask") or [[1] * len(row) for row in completions]
    inputs = {
        "prompt_ids": padded(prompts, longest_prompt, left=True),
        "prompt_mask": padded([[1] * len(row) for row in prompts], longest_prompt, left=True),
        "completion_ids": padded(completions, longest),
        "completion_mask": padded(masks, longest),
        "advantages": torch.tensor(batch["advantages"], dtype=torch.float32),
        "num_items_in_batch": torch.tensor(sum(map(sum, masks))),
    }
    if batch.get("oldLogprobs"):
        inputs["old_per_token_logps"] = padded(batch["oldLogprobs"], longest, fill=0.0)
    return inputs


@torch.no_grad()
def reference_logprobs(trainer, frozen, inputs):
    """What the reference model says: a copy of the adapter as it was, or the frozen model."""
    if not isinstance(trainer.model, PeftModel):
        return logprobs(frozen, inputs, trainer.temperature)
    with use_adapter(trainer.model, adapter_name="ref"):
        return logprobs(trainer.model, inputs, trainer.temperature)


@torch.no_grad()
def logprobs(model, inputs, temperature):
    ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
    mask = torch.cat([inputs["prompt_mask"], torch.ones_like(inputs["completion_ids"])], 1)
    count = inputs["completion_ids"].size(1)
    logits = model(ids, attention_mask=mask).logits[:, -count - 1 : -1] / temperature
    return logits.log_softmax(-1).gather(2, inputs["completion_ids"][..., None])[..., 0]


def plain_name(name):
    """A parameter's name as in the checkpoint; factors of an adapter as Joylab calls them."""
    return name.removeprefix("base_model.model.").replace(".base_layer", "").replace(".default", "")


def updates(folder, adapter, settings, batches, learning_rate, out, weights=None):
    """Makes one optimizer step per batch; returns TRL's metrics of each, writes first gradients and last weights.

    `weights` is a file of weights that take the place of the checkpoint's.
    """
    model = AutoModelForCausalLM.from_pretrained(folder)
    if weights:
        unexpected = model.load_state_dict(load_file(weights), strict=False).unexpected_keys
        assert not unexpected, unexpected
    frozen = AutoModelForCausalLM.from_pretrained(folder)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
    with tempfile.TemporaryDirectory() as output:
        trainer = GRPOTrainer(
            model=model,
            processing_class=AutoTokenizer.from_pretrained(folder),
            reward_funcs=lambda completions, **_: [0.0] * len(completions),
            train_dataset=Dataset.from_list([{"prompt": "w1"}] * 8),
            args=GRPOConfig(
                output_dir=output,
                per_device_train_batch_size=len(batches[0]["completionIds"]),
                num_generations=2,
                learning_rate=learning_rate,
                report_to="none",
                use_cpu=True,
                bf16=False,
                gradient_checkpointing=False,
                **settings,
            ),
        )
        trainer.current_gradient_accumulation_steps = 1
        optimizer = trainer.create_optimizer()
        trained = {plain_name(name): p for name, p in model.named_parameters() if p.requires_grad and ".ref." not in name}
        model.train()
        results, tensors = [], {}
        for step, batch in enumerate(batches):
            inputs = trainer_inputs(batch)
            if trainer.beta != 0:
                inputs["ref_per_token_logps"] = reference_logprobs(trainer, frozen, inputs)
            optimizer.zero_grad()
            loss = trainer._compute_loss(model, inputs)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(trained.values(), trainer.args.max_grad_norm)
            if step == 0:
                scale = max(1.0, (norm.item() + 1e-6) / trainer.args.max_grad_norm)
                tensors.update({f"gradient {name}": p.grad * scale for name, p in trained.items()})
            optimizer.step()
            metrics = {name: values[-1] for name, values in trainer._metrics["train"].items()}
            results.append({"loss": loss.item(), "grad_norm": norm.item(), **metrics})
    tensors.update({name: p.detach().clone() for name, p in trained.items()})
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out)
    return results


serve({"make_model": make_model, "updates": updates})
