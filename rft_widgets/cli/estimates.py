"""What models will take, in words."""

from __future__ import annotations

from rft_widgets.model.estimate import WorkEstimate


def estimate_words(found: WorkEstimate) -> str:
    """Calls, tokens, money and minutes of an estimate, and how far earlier ones were off."""
    cost = found.cost_micro_usd
    parts = [
        f"{found.calls:,} calls",
        f"{found.prompt_tokens + found.completion_tokens:,} tokens",
        "price unknown" if cost is None else f"${cost / 1_000_000:,.4f}",
    ]
    if found.minutes is not None:
        parts.append(f"{found.minutes:.1f} min")
    past = found.past_error
    if past is not None:
        parts.append(f"{past.ratio:.2f} times that in {past.works:,} earlier ones")
    return ", ".join(parts)
