"""Ways to train, those of later versions included: what each needs, and whether it is there."""

from __future__ import annotations

from rft_widgets.model.training_plan import TrainerInfo
from rft_widgets.trainers.local.settings import LOCAL_FIELDS

CATALOGUE = (
    TrainerInfo(
        name="local",
        title="Embedded trainer",
        description=(
            "Learns from your grader's rewards which recorded answer to give to which prompt. "
            "It writes no text of its own."
        ),
        needs="Nothing but this computer: no key, no GPU, no download.",
        status="ready",
        base_model="None. It chooses among recorded answers; no language model is trained.",
        hyperparameters=LOCAL_FIELDS,
    ),
    TrainerInfo(
        name="trl",
        title="Open weights on your hardware",
        description="Trains a language model whose weights you have, by GRPO.",
        needs="A GPU, the weights of a model on disk, and the packages torch and trl.",
        status="not_available",
        base_model="A folder with the weights of an open model.",
    ),
    TrainerInfo(
        name="openai",
        title="Fine-tuning job service",
        description="Sends records and grader to a service that trains and serves the model.",
        needs=(
            "An account and a key of a service that speaks the OpenAI fine-tuning protocol, such "
            "as Amazon Bedrock or Azure AI Foundry."
        ),
        status="not_available",
        base_model="One that the service offers for reinforcement fine-tuning.",
    ),
    TrainerInfo(
        name="tinker",
        title="Tinker",
        description="Runs the loop here and the model's steps on a service's GPUs.",
        needs="A key of Thinking Machines, or of a service with the same interface.",
        status="not_available",
        base_model="An open model that the service hosts.",
    ),
    TrainerInfo(
        name="fireworks",
        title="Fireworks",
        description="Sends records and an evaluator to a service that trains and serves the model.",
        needs="An account and a key of Fireworks.",
        status="not_available",
        base_model="An open model that the service hosts.",
    ),
    TrainerInfo(
        name="ray",
        title="Ray cluster",
        description="Trains a language model on several machines of yours.",
        needs="The address of a Ray cluster with GPUs, and the weights of a model on them.",
        status="not_available",
        base_model="A folder with the weights of an open model.",
    ),
)
"""Every way to train, the ones that can be used first."""
