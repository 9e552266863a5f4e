"""What Hugging Face's tokenizers make of texts."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from peer import serve
from tokenizers import Tokenizer


def run(files, texts):
    """For each tokenizer.json the IDs of each text and their texts, or the message of its error."""
    results = []
    for file in files:
        try:
            tokenizer = Tokenizer.from_str(json.dumps(file))
            # As transformers does for texts of their own lengths.
            tokenizer.no_truncation()
            tokenizer.no_padding()
        except Exception as error:
            results.append({"error": str(error)})
            continue
        rows = []
        for text in texts:
            try:
                ids = tokenizer.encode(text).ids
                plain = tokenizer.encode(text, add_special_tokens=False).ids
                rows.append({"ids": ids, "plain": plain, "text": tokenizer.decode(ids, skip_special_tokens=False), "skipped": tokenizer.decode(ids)})
            except BaseException as error:
                rows.append({"error": str(error)})
        results.append({"rows": rows, "size": tokenizer.get_vocab_size()})
    return results


serve({"run": run})
