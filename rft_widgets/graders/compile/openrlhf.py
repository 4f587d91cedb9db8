"""A grader as a reward function of OpenRLHF."""

from __future__ import annotations

from rft_widgets.graders.compile.target import Target, adapter

TARGET = Target(
    name="openrlhf",
    title="OpenRLHF",
    entry="reward_func.py",
    carries="text",
    usage="""\
`--reward.remote_url <this folder>/reward_func.py --data.label_key label` (older versions:
`--remote_rm_url`, `--label_key`). The label of each row is the record's item fields with `messages`
(and `tools`) of the prompt, as JSON text. OpenRLHF takes numbers alone: a grading that failed has
the reward 0, and `failed` in the log says how many these are. The mark that ends an answer
(`<|im_end|>`, `</s>` and their like) is taken off before grading.""",
    adapter=adapter(
        "Rewards for OpenRLHF: `--reward.remote_url reward_func.py`.",
        '''
END = re.compile(
    r"(\\s*(<\\|(im_end|endoftext|eot_id|end_of_text|end|return)\\|>|</s>|<eos>|<end_of_turn>"
    r"|<\\uff5cend\\u2581of\\u2581sentence\\uff5c>))+\\s*$"
)


def grade_queries(queries, prompts, labels):
    """Grade what follows the prompt in each query."""
    return GRADER.grade_many(
        (answer_of(query, prompt), label)
        for query, prompt, label in zip(queries, prompts, labels, strict=True)
    )


def answer_of(query, prompt):
    """The answer alone: a query is the prompt with it."""
    start = query.find(prompt)
    if start < 0:
        raise ValueError("a query does not hold its prompt, so the answer in it cannot be told")
    return END.sub("", query[start + len(prompt) :])


def reward_func(queries, prompts, labels, **kwargs):
    """Rewards (0..1) of a batch as tensors. A failed grading is 0."""
    import torch

    graded = grade_queries(queries, prompts, labels)
    rewards = torch.tensor([one.reward or 0.0 for one in graded], dtype=torch.float32)
    failed = torch.tensor([float(one.reward is None) for one in graded])
    return {"rewards": rewards, "scores": rewards.clamp(0, 1), "extra_logs": {"failed": failed}}
''',
        standard="import re\n",
    ),
)
