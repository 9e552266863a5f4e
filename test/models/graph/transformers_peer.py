"""Models and adapters by transformers and PEFT, for comparison."""

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from checkpoints import make_model
from peer import serve
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)


@torch.no_grad()
def logits(folder, ids, out, adapter=None):
    """Logits of a sequence, written to `out`."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    save_file({"logits": model(torch.tensor([ids])).logits[0].contiguous()}, out)


def make_adapter(folder, adapter, **settings):
    """A PEFT adapter of random factors."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(adapter)


def greedy(folder, ids, count, **settings):
    """The most likely completion and, for each token, its log-probability."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    output = model.generate(
        torch.tensor([ids]), do_sample=False, max_new_tokens=count, eos_token_id=None, return_dict_in_generate=True, output_logits=True, **settings
    )
    completion = output.sequences[0, len(ids) :]
    logprobs = torch.stack(output.logits, 1)[0].log_softmax(-1).gather(1, completion[:, None])[:, 0]
    return {"ids": completion.tolist(), "logprobs": logprobs.tolist()}


def tokenize(folder, texts, messages):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in texts]
    return {
        "ids": ids,
        "texts": [tokenizer.decode(one) for one in ids],
        "chat": tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True),
    }


serve({"make_model": make_model, "logits": logits, "make_adapter": make_adapter, "greedy": greedy, "tokenize": tokenize})
