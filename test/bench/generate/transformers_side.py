"""transformers' side of the benchmark: generates whenever an order arrives.

Usage: transformers_side.py '{"folder": …, "threads": 2, "dtype": "float32"}'
Each line on standard input is an order, {"batch": 16, "tokens": 80}; it is
answered with the seconds and the tokens as a line of JSON, and the end of the
input with the process's peak memory in bytes.
"""

import json
import os
import resource
import sys
import time

given = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(given["threads"])
# What libraries print must not mix with the answers.
answers, sys.stdout = sys.stdout, sys.stderr

import torch  # noqa: E402
import transformers  # noqa: E402

torch.set_num_threads(given["threads"])


def answer(**values):
    print(json.dumps(values), file=answers, flush=True)


@torch.inference_mode()
def main():
    folder = given["folder"]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=given["dtype"]).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with open(os.path.join(folder, "prompt.txt")) as file:
        prompt = tokenizer(file.read(), return_tensors="pt")
    answer(versions={"transformers": transformers.__version__, "torch": torch.__version__})
    for line in sys.stdin:
        order = json.loads(line)
        torch.manual_seed(1)
        started = time.perf_counter()
        output = model.generate(
            prompt["input_ids"],
            attention_mask=prompt["attention_mask"],
            num_return_sequences=order["batch"],
            max_new_tokens=order["tokens"],
            do_sample=True,
            temperature=1.0,
            top_k=0,
            pad_token_id=tokenizer.pad_token_id,
        )
        seconds = time.perf_counter() - started
        answer(seconds=seconds, tokens=(output.size(1) - prompt["input_ids"].size(1)) * output.size(0))
    answer(peakMemory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


main()
