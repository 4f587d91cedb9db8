"""Chat completions of a small model, as the OpenAI protocol has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rft_widgets.testing.token_model import TokenModel

_TOKENS = 64


def chat_completion(
    tokenizer: Any, model: TokenModel, given: dict[str, Any], chance: np.random.Generator
) -> dict[str, Any]:
    """Answer a request for a chat completion."""
    prompt = tokenizer.apply_chat_template(
        given["messages"], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    (found,) = model.sample(
        prompt[-1],
        times=1,
        most=given.get("max_tokens") or _TOKENS,
        temperature=given.get("temperature") or 0.0,
        stop={tokenizer.eos_token_id},
        chance=chance,
    )
    text = tokenizer.decode(found.tokens, skip_special_tokens=True)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop" if found.is_ended else "length",
    }
    tokens = (len(prompt), len(found.tokens))
    usage = {
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "total_tokens": sum(tokens),
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": given["model"],
        "choices": [choice],
        "usage": usage,
    }
