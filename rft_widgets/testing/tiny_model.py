"""A language model of about a hundred thousand random weights, made on the spot.

It knows no language and needs no download: it is for trying, on any machine, what trains and serves
models. From nothing it learns shapes of answers within some tens of steps, such as to write digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from rft_widgets.errors import ExtraRequired

Architecture = Literal["qwen2", "llama", "gpt2"]

_SPECIALS = ("<|pad|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_HIDDEN, _LAYERS, _HEADS = 64, 2, 2


def make_tiny_model(
    folder: str | Path,
    *,
    architecture: Architecture = "qwen2",
    context: int = 1024,
    seed: int = 0,
) -> Path:
    """Write a random model with its tokenizer as `transformers` reads them.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    architecture
        Of which model family it is.
    context
        Most tokens of prompt and answer together. A token is a byte.
    seed
        The same seed makes the same weights.

    Returns
    -------
    The folder, to be given as ``TrainingConfig.base_model``.

    Raises
    ------
    ExtraRequired
        torch and transformers are not installed.
    """
    try:
        import torch  # noqa: PLC0415 - heavy
        import transformers  # noqa: PLC0415
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    except ImportError as error:
        raise ExtraRequired(
            "A tiny model is made with torch and transformers, which are not installed.",
            hint="Install them with: pip install 'rft-widgets[trl]'",
        ) from error
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: place for place, character in enumerate((*alphabet, *_SPECIALS))}
    bytewise = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    bytewise.add_special_tokens(list(_SPECIALS))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=bytewise,
        pad_token=_SPECIALS[0],
        eos_token=_SPECIALS[3],
        padding_side="left",
        model_max_length=context,
    )
    tokenizer.chat_template = _TEMPLATE
    shared: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.eos_token_id,
    }
    config: Any
    if architecture == "gpt2":
        config = transformers.GPT2Config(
            n_layer=_LAYERS, n_head=_HEADS, n_embd=_HIDDEN, n_positions=context, **shared
        )
    else:
        family = {"qwen2": transformers.Qwen2Config, "llama": transformers.LlamaConfig}
        config = family[architecture](
            hidden_size=_HIDDEN,
            intermediate_size=2 * _HIDDEN,
            num_hidden_layers=_LAYERS,
            num_attention_heads=_HEADS,
            num_key_value_heads=_HEADS,
            max_position_embeddings=context,
            tie_word_embeddings=False,
            **shared,
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config)
    made = Path(folder)
    made.mkdir(parents=True, exist_ok=True)
    shows = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        model.save_pretrained(made)
    finally:
        if shows:
            transformers.utils.logging.enable_progress_bar()
    tokenizer.save_pretrained(made)
    return made
