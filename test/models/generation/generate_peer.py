"""Generation by transformers, for comparison."""

import torch
from peer import serve
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.set_num_threads(1)


def make_model(folder, generation_config):
    """A random checkpoint with a byte-level tokenizer."""
    torch.manual_seed(0)
    sizes = dict(vocab_size=257, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2)
    model = LlamaForCausalLM(LlamaConfig(**sizes, max_position_embeddings=1024, eos_token_id=256, bos_token_id=None))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if parameter.dim() == 1 else 0.0, std=0.12)
    model.generation_config = GenerationConfig(eos_token_id=256, pad_token_id=256, **generation_config)
    model.save_pretrained(folder)
    vocabulary = {character: i for i, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>").save_pretrained(folder)


def greedy(folder, prompts, **settings):
    """The most likely completion of each prompt and the log-probabilities of its tokens."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    completions, logprobs = [], []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        output = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, return_dict_in_generate=True, output_logits=True, **settings
        )
        completion = output.sequences[0, len(prompt) :]
        completions.append(completion.tolist())
        logprobs.append(torch.stack(output.logits, 1)[0].log_softmax(-1).gather(1, completion[:, None])[:, 0].tolist())
    return {"completions": completions, "logprobs": logprobs}


def distributions(folder, ids, logits, cases):
    """What tokens are sampled from with each of several settings, by the processors that `generate` itself would take."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    scores, given = torch.tensor([logits]), torch.tensor([ids])
    results = []
    for settings in cases:
        # JSON has no 1.0
        settings = {name: value if name == "top_k" else float(value) for name, value in settings.items()}
        config, _ = model._prepare_generation_config(None, do_sample=True, **settings)
        processors = model._get_logits_processor(config, input_ids_seq_length=len(ids), device="cpu")
        results.append(processors(given, scores.clone()).softmax(-1)[0].tolist())
    return results


serve({"make_model": make_model, "greedy": greedy, "distributions": distributions})
