"""Pre-trains the strategist on its corpus and writes a Hugging Face folder.

`python train.py --folder checkpoint` uses the GPU when there is one, and
`torchrun --nproc-per-node 2 train.py …` as many as it names, each with rows of
its own. Programs are made while the model trains, by processes of their own;
batch i depends on the seed and i alone, so the data do not depend on how many
processes there are. The model is saved every `--save` seconds, so that a run
that is cut short leaves one.
"""

import argparse
import multiprocessing
import os
import queue as queue_module
import random
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from tokenizers import Tokenizer
from torch.nn.attention.flex_attention import create_block_mask
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

import tokenizer as bpe
from corpus.rows import random_row
from muon import Muon

CONTEXT = 1024
ROW = CONTEXT  # tokens in a row: as many prompts with their programs as fit
ANSWERS = 4  # programs of a prompt: few, so that a batch has many names to copy
PROMPT = 64  # numbers of segments that each prompt of a row has for itself
#: Processes that train together, one for each GPU, and which of them this is.
WORLD, RANK = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))


# ---------------------------------------------------------------- data

def make_batch(encoder: Tokenizer, seed: int, index: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and segments, both (rows, ROW). Of the n-th prompt of a row the segment is PROMPT·n, of its programs what follows; -1 is padding."""
    rng = random.Random(f"{seed}:{index}")
    tokens = np.zeros((rows, ROW), np.int16)
    segments = np.full((rows, ROW), -1, np.int16)
    for row in range(rows):
        at = number = 0
        while True:
            drawn = random_row(rng, ANSWERS)
            texts = [bpe.USER + drawn.prompt + bpe.END, *(bpe.ASSISTANT + text + bpe.END for text in drawn.completions)]
            prompt, *answers = (encoding.ids for encoding in encoder.encode_batch_fast(texts))
            if at + len(prompt) + len(answers[0]) > ROW:
                break
            for segment, ids in enumerate([prompt, *answers]):
                if at + len(ids) <= ROW:
                    tokens[row, at:at + len(ids)] = ids
                    segments[row, at:at + len(ids)] = PROMPT * number + segment
                    at += len(ids)
            number += 1
    return tokens, segments


def generate_batches(folder: str, seed: int, first: int, stride: int, rows: int, queue) -> None:
    os.nice(5)  # who trains goes first
    encoder = Tokenizer.from_file(f"{folder}/tokenizer.json")
    index = first
    while True:
        queue.put(make_batch(encoder, seed, index, rows))
        index += stride


def batches(folder: Path, seed: int, rows: int, workers: int):
    """The batches of this process in order, made ahead by `workers` others."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    context = multiprocessing.get_context("spawn")
    queues = [context.Queue(maxsize=4) for _ in range(workers)]
    for i, queue in enumerate(queues):
        arguments = (str(folder), seed, RANK + i * WORLD, workers * WORLD, rows, queue)
        context.Process(target=generate_batches, args=arguments, daemon=True).start()
    # A batch takes its time through a pipe: a thread fetches the next ones meanwhile.
    fetched = queue_module.Queue(maxsize=8)
    threading.Thread(target=fetch, args=(queues, fetched), daemon=True).start()
    while True:
        yield fetched.get()


def fetch(queues, fetched) -> None:
    while True:
        for queue in queues:
            fetched.put(queue.get())


def repeated(stream, uses: int, apart: int = 500):
    """Batches put together of `uses` small ones: a new one, and those that were new `apart`, 2·`apart` … batches ago, since a GPU learns faster than rows are made."""
    past = deque(maxlen=(uses - 1) * apart)
    while True:
        full = len(past) == past.maxlen
        parts = [next(stream), *(past[i * apart] if full else next(stream) for i in range(uses - 1))]
        past.extend(parts[:1] if full else parts)
        yield tuple(np.concatenate(arrays) for arrays in zip(*parts))


# ---------------------------------------------------------------- model

def new_model(seed: int, layers: int, width: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    heads = width // 64
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=bpe.VOCABULARY, hidden_size=width, intermediate_size=width * 11 // 4, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=heads, head_dim=64, max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=10000.0,
        bos_token_id=None, eos_token_id=1, pad_token_id=0, attn_implementation=attention(),
    ))


def read_model(folder: Path) -> LlamaForCausalLM:
    """A model that was saved with temperature 1."""
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention())


def attention() -> str:
    return "flex_attention" if torch.cuda.is_available() else "sdpa"


def sees(segments: torch.Tensor):
    """Which token sees which, as FlexAttention asks: a program sees its prompt and itself alone."""

    def mask(row, _, query, key):
        own, other = segments[row, query], segments[row, key]
        in_prompt = (own // PROMPT == other // PROMPT) & (other % PROMPT == 0) & (other >= 0)
        return ((own == other) | in_prompt) & (query >= key)

    return mask


def dense_mask(segments: torch.Tensor) -> torch.Tensor:
    """The same as (rows, 1, ROW, ROW): FlexAttention learns on GPUs only."""
    place = torch.arange(ROW)
    return sees(segments)(torch.arange(len(segments))[:, None, None], None, place[:, None], place)[:, None]


def positions_of(segments: torch.Tensor) -> torch.Tensor:
    """(rows, ROW): a program goes on from the end of its prompt."""
    place = torch.arange(ROW, device=segments.device)
    number = segments // PROMPT
    is_prompt = (segments % PROMPT == 0) & (segments >= 0)

    def start_of(values: torch.Tensor) -> torch.Tensor:
        """Where the run of equal values began that a token is in."""
        new = torch.cat([torch.zeros_like(values[:, :1], dtype=torch.bool), values[:, 1:] != values[:, :-1]], 1)
        return torch.where(new, place, 0).cummax(1).values

    first = start_of(number)
    # Where the prompt of a token ended: its last token so far, and one.
    ended = torch.where(is_prompt, place + 1, 0).cummax(1).values
    return torch.where(is_prompt, place - first, place - start_of(segments) + ended - first)


def loss_of(model, tokens: torch.Tensor, segments: torch.Tensor, mask) -> torch.Tensor:
    """Mean cross-entropy of the programs' tokens; `mask` is that of `sees`."""
    logits = model(input_ids=tokens, attention_mask=mask, position_ids=positions_of(segments), use_cache=False).logits
    learn = (segments[:, 1:] % PROMPT > 0) & (segments[:, 1:] == segments[:, :-1]) & (segments[:, 1:] >= 0)
    targets = torch.where(learn, tokens[:, 1:], -100)
    return torch.nn.functional.cross_entropy(logits[:, :-1].float().flatten(0, 1), targets.flatten(), ignore_index=-100)


def save(model: LlamaForCausalLM, folder: Path, temperature: float) -> None:
    """Weights in half precision, configuration and generation defaults. The temperature is built in: logits come out divided by it."""
    half = LlamaForCausalLM(model.config).to(torch.float16)
    half.load_state_dict(model.state_dict())
    with torch.no_grad():
        half.model.norm.weight.div_(temperature)
    half.generation_config = GenerationConfig(do_sample=True, temperature=1.0, top_k=0, max_new_tokens=256, eos_token_id=1, pad_token_id=0)
    half.save_pretrained(folder)


# ---------------------------------------------------------------- training

def schedule(progress: float, step: int, warmup: int = 200) -> float:
    """Factor of the learning rate: warm-up, constant for half of the run, then linearly down."""
    return min(1.0, (step + 1) / warmup) * min(1.0, 2.02 * (1 - progress) + 0.01)


def new_optimizers(model: LlamaForCausalLM, lr: float, cuda: bool) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for the embedding and the norms; one learning rate fits both."""
    matrices = [p for name, p in model.named_parameters() if p.dim() > 1 and "embed_tokens" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() == 1 or "embed_tokens" in name]
    return [
        Muon(matrices, lr=lr, weight_decay=0.05),
        torch.optim.AdamW(others, lr=lr, weight_decay=0.0, betas=(0.9, 0.98), fused=cuda),
    ]


def average_gradients(model: LlamaForCausalLM) -> None:
    """Gives every process the mean of all processes' gradients."""
    gradients = [p.grad for p in model.parameters()]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat, op=dist.ReduceOp.SUM)
    flat.div_(WORLD)
    torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(flat.split([g.numel() for g in gradients]), gradients)])


def agreed(progress: float) -> float:
    """The first process's progress, so that all have one learning rate and one end. It goes through the CPU, and no GPU is waited for."""
    told = torch.tensor(progress, dtype=torch.float64)
    dist.broadcast(told, 0)
    return told.item()


def train(args: argparse.Namespace) -> None:
    started = time.time()
    cuda = torch.cuda.is_available()
    device = "cuda" if cuda else "cpu"
    torch.set_float32_matmul_precision("high")
    if WORLD > 1:
        if cuda:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    if RANK == 0:
        bpe.save(Tokenizer.from_file(str(args.start / "tokenizer.json")) if args.start else bpe.train(args.seed), args.folder, CONTEXT)
    if WORLD > 1:
        dist.barrier()
    stream = repeated(batches(args.folder, args.seed, args.rows // args.uses, args.workers), args.uses)

    model = (read_model(args.start) if args.start else new_model(args.seed, args.layers, args.width)).to(device)
    compiled = torch.compile(loss_of, dynamic=False) if cuda else loss_of
    block_mask = torch.compile(create_block_mask, dynamic=False)
    optimizers = new_optimizers(model, args.lr, cuda)
    if RANK == 0:
        print(f"{sum(p.numel() for p in model.parameters())} parameters on {device}, ready in {time.time() - started:.0f} s", flush=True)

    began = saved = time.time()
    waited, seen, losses, step = 0.0, 0, [], 0
    while True:
        # The time of making the tokenizer counts: the whole command ends within `seconds`, but for the last save.
        progress = max(step / args.steps, (time.time() - started) / args.seconds if args.seconds else 0.0)
        if WORLD > 1 and args.seconds:
            progress = agreed(progress)
        if progress >= 1:
            break
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = args.lr * schedule(progress, step)
        asked = time.time()
        tokens, segments = (torch.from_numpy(array) for array in next(stream))
        waited += time.time() - asked
        if cuda:
            tokens, segments = (t.pin_memory().to(device, non_blocking=True) for t in (tokens, segments))
        tokens, segments = tokens.long(), segments.long()
        mask = block_mask(sees(segments), args.rows, None, ROW, ROW, device=device) if cuda else dense_mask(segments)
        with torch.autocast(device, torch.bfloat16, enabled=cuda):
            loss = compiled(model, tokens, segments, mask)
        loss.backward()
        if WORLD > 1:
            average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        seen += args.rows * ROW * WORLD
        losses.append(loss.detach())
        if RANK == 0 and (step % args.log == 0 or step <= 3):
            mean = torch.stack(losses).mean().item()
            losses.clear()
            print(f"step {step} loss {mean:.4f} {seen / 1e6:.0f} M tokens {time.time() - began:.0f} s, waited {waited:.0f} s", flush=True)
        if RANK == 0 and time.time() - saved > args.save:
            save(model, args.folder, args.temperature)
            saved = time.time()
    if RANK == 0:
        save(model, args.folder, args.temperature)
        print(f"{step} steps, {seen / 1e6:.0f} M tokens, {time.time() - began:.0f} s", flush=True)
    if WORLD > 1:
        dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "checkpoint")
    parser.add_argument("--start", type=Path, help="a folder, saved with --temperature 1, whose model and tokenizer are trained on, with rows of another --seed")
    parser.add_argument("--steps", type=int, help="12,000 by default; as many as there is time for with --seconds")
    parser.add_argument("--seconds", type=float, default=0, help="end (and decay the learning rate) within this time, from the start of the command")
    parser.add_argument("--rows", type=int, default=96, help="rows of a batch, in each process")
    parser.add_argument("--uses", type=int, default=2, help="how often a row is learned from, for when GPUs are faster than what makes rows; divides --rows")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=256, help="a multiple of 64")
    parser.add_argument("--temperature", type=float, default=0.8, help="built into what is saved: below 1 unlikely tokens become less likely; 1 where training is to go on with --start")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=int, default=200)
    parser.add_argument("--save", type=float, default=90, help="seconds from one save to the next")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // WORLD - 1), help="processes that make rows, for each GPU")
    args = parser.parse_args()
    args.steps = args.steps or (1 << 30 if args.seconds else 12000)
    train(args)


if __name__ == "__main__":
    main()
