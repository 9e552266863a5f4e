"""Calls a server with OpenAI's own client, for official.test.ts."""

import openai
from peer import serve


def client(base_url, key):
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)


def models(base_url, key):
    return [model.id for model in client(base_url, key).models.list()]


def complete(base_url, key, options):
    return client(base_url, key).chat.completions.create(**options).model_dump()


def stream(base_url, key, options):
    chunks = list(client(base_url, key).chat.completions.create(stream=True, **options))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    logprobs = [token.model_dump() for choice in choices if choice.logprobs for token in choice.logprobs.content]
    return {
        "pieces": [choice.delta.content for choice in choices if choice.delta.content],
        "logprobs": logprobs,
        "finish_reason": choices[-1].finish_reason,
    }


def error(base_url, key, options):
    try:
        client(base_url, key).chat.completions.create(**options)
    except openai.APIStatusError as error:
        return {"type": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}


serve({function.__name__: function for function in (models, complete, stream, error)})
