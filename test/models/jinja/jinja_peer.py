"""What transformers makes of chat templates."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from peer import serve
from transformers.utils.chat_template_utils import render_jinja_template


def render(cases, messages, variables):
    """For each template its text, or the message of its error."""
    results = []
    for template in cases:
        try:
            [text], _ = render_jinja_template(conversations=[messages], chat_template=template, **variables)
            text.encode()
            results.append({"text": text})
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
    return results


def generations(template, messages):
    """The text, and what the assistant wrote of it."""
    [text], [indices] = render_jinja_template(conversations=[messages], chat_template=template, return_assistant_tokens_mask=True)
    return {"text": text, "parts": [text[start:end] for start, end in indices]}


serve({"render": render, "generations": generations})
