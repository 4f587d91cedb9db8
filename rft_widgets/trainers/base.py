"""What every trainer is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from rft_widgets.graders.compiled import CompiledGrader
from rft_widgets.graders.rewards import normalized_reward
from rft_widgets.graders.sample import Sample
from rft_widgets.model.connection import NamedConnection
from rft_widgets.model.grader import Grader
from rft_widgets.model.llm import ModelConnection, ModelUsage
from rft_widgets.model.message import Message, Tool
from rft_widgets.model.record import Record, RecordInput
from rft_widgets.model.training import (
    Checkpoint,
    TrainingConfig,
    TrainingProgress,
    TrainingReport,
    TrainingRollout,
)
from rft_widgets.model.training_plan import TrainerInfo, TrainingEstimate
from rft_widgets.steps.grade import OpenClient

# What is trained ---------------------------------------------------------------------------------


class TrainingData(Struct, frozen=True):
    """Records to learn from and records to measure on; see `rft_widgets.steps.split`."""

    train: tuple[Record, ...]
    valid: tuple[Record, ...]


Rewarder: TypeAlias = Callable[
    [Sequence[tuple[Sample, dict[str, Any]]]], Sequence[float | None]
]  # fmt: skip
"""Gives a reward (0..1) for each pair of a sample and its item, ``None`` where grading failed."""


class TrainingRequest(Struct, frozen=True, kw_only=True):
    """What is known before a run: enough to refuse it, and to say what it will take.

    Attributes
    ----------
    train, valid
        Numbers of records to learn from and to measure on.
    prompt_tokens
        Estimated tokens of a prompt, on average.
    grader
        What gives the rewards; ``None`` while there is none.
    connection
        The connection that the configuration names; ``None`` without one.
    """

    config: TrainingConfig
    train: int
    valid: int
    prompt_tokens: float
    grader: Grader | None
    connection: NamedConnection | None = None


class TrainingTask(Struct, frozen=True, kw_only=True):
    """A run as a trainer gets it.

    Attributes
    ----------
    name
        What the result may be called: the dataset's name, made fit for file and model names.
    job_id
        The run.
    grader, rewarder
        What gives the rewards, as a value for services that grade themselves, and as a function
        for those that are asked here. Judges' calls stand in the ledger, and scripts are confined,
        by the function alone.
    connection
        The service that trains; ``None`` where there is none.
    folder
        Of this run alone, for whatever is large; it is there, and goes with the dataset.
    ask
        Opens a model of a service, to be measured.
    """

    data: TrainingData
    config: TrainingConfig
    grader: Grader
    rewarder: Rewarder
    name: str
    job_id: str
    folder: Path
    connection: NamedConnection | None = None
    ask: OpenClient | None = None


StopRequest = Literal["", "pause", "cancel"]


class TrainingRun(Protocol):
    """Who is told about a run, keeps what it needs to go on, and may stop it."""

    def report(self, progress: TrainingProgress) -> None:
        """Hear where the run is; called at least once a step."""

    def log(self, message: str) -> None:
        """Hear of something that whoever looks at the run should know."""

    def requested(self) -> StopRequest:
        """Whether the run is to stop; asked between gradings, about four times a second."""

    def is_for_good(self) -> bool:
        """Whether somebody wanted the stop that is requested. Else the process ends here.

        The run then goes on in another process, and what works elsewhere need not be stopped.
        """

    def save_state(self, state: bytes) -> None:
        """Keep this instead of any earlier state, durably and as a whole."""

    def load_state(self) -> bytes | None:
        """The state that was saved last, ``None`` for a run that begins."""

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; one that is saved again after a restart is the same."""

    def save_rollouts(self, step: int, rollouts: Sequence[TrainingRollout]) -> None:
        """Keep answers of a step; those of the same step that were kept before go."""


class TrainingOutcome(Struct, frozen=True, kw_only=True):
    """What a run ends with: the report, and the policy as bytes that say all it needs."""

    report: TrainingReport
    artifact: bytes


# What came of it ---------------------------------------------------------------------------------


class PolicyAnswer(Struct, frozen=True, kw_only=True):
    """What a policy answers.

    Attributes
    ----------
    source_record_id, similarity, probability
        Of the trainer ``local``: the record whose answer it is, the similarity (0..1) of that
        one's prompt to this one, and the policy's probability (0..1) for it among all candidates.
    usage
        Tokens of the call, of a language model.
    cost_micro_usd
        Its price in millionths of a dollar; ``None`` where nobody knows it.
    seconds
        How long it took, where whoever asks cannot tell, because many are asked at a time: the
        answer's share of the time of its batch, or of its call.
    is_repeated
        Whether it was paid for before, so that its time says nothing.
    """

    message: Message
    finish_reason: str
    source_record_id: str | None = None
    similarity: float | None = None
    probability: float | None = None
    usage: ModelUsage | None = None
    cost_micro_usd: int | None = 0
    seconds: float | None = None
    is_repeated: bool = False


class Upstream(Struct, frozen=True, kw_only=True):
    """A model that another server serves: requests can be passed on to it as they are.

    ``base_model`` is the model from before the training, where that server serves it, too.
    """

    connection: ModelConnection
    model: str
    base_model: str | None = None


class Policy(Protocol):
    """A trained model that answers, and the one that it was made from.

    It may be asked from several threads at once. `close` gives back what it holds, such as memory
    of a GPU; it may be called twice.
    """

    @property
    def upstream(self) -> Upstream | None:
        """Where the trained model is served by somebody else; ``None`` where it answers here."""

    def respond(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, reference: bool = False
    ) -> PolicyAnswer:
        """Answer a prompt, greedily; ``reference`` asks the model from before the training.

        Raises
        ------
        NoCandidate
            The policy has no answer to this prompt.
        """

    def respond_many(
        self, prompts: Sequence[RecordInput], *, reference: bool = False
    ) -> Iterator[PolicyAnswer | None]:
        """Answer prompts in their order, several at a time where that is faster.

        ``None`` stands where there is no answer.
        """

    def close(self) -> None:
        """Give back what it holds."""


class PolicyPlace(Struct, frozen=True, kw_only=True):
    """Where a policy is opened: the folder of its run, and how to ask models of services."""

    folder: Path
    ask: OpenClient | None = None
    connection: NamedConnection | None = None


# A trainer ---------------------------------------------------------------------------------------

Train: TypeAlias = Callable[[TrainingTask, TrainingRun], TrainingOutcome]
"""Trains. It raises `TrainingStopped` when it was asked to stop, after saving its state.

A run that starts with a saved state goes on from there: with its own process, with a job of a
service (see `rft_widgets.trainers.hosted`), or where a computation here stood.
"""


class Trainer(Struct, frozen=True, kw_only=True):
    """A way to train; one module makes one, and `rft_widgets.trainers` lists it.

    Attributes
    ----------
    info
        What it is, needs and supports, with what is missing right now; called when it is shown.
    check
        Raises `InvalidArgument`, or `TrainingRefused`, for a run that cannot be done, in words.
    estimate
        What a run will take: at most how many gradings here, and the service's price where it is
        known. ``seconds`` is left to runs that ended before.
    train
        Trains.
    policy
        Makes the result ready to answer: the artifact of a run, where it is opened, and the step
        of a checkpoint or ``None`` for the result of the run.
    deploy
        Has the service serve the result, where it answers with a model only once it is deployed
        there: as ``policy``, with options by name. Returns how that went, in words.
    """

    info: Callable[[], TrainerInfo]
    check: Callable[[TrainingRequest], object]
    estimate: Callable[[TrainingRequest], TrainingEstimate]
    train: Train
    policy: Callable[[bytes, PolicyPlace, Checkpoint | None], Policy]
    deploy: Callable[[bytes, PolicyPlace, Checkpoint | None, Mapping[str, Any]], str] | None = None


class MemoryRun:
    """A run that keeps everything in memory and is never stopped, unless ``stop`` is set."""

    def __init__(self) -> None:
        self.progress: list[TrainingProgress] = []
        self.messages: list[str] = []
        self.checkpoints: list[Checkpoint] = []
        self.rollouts: dict[int, tuple[TrainingRollout, ...]] = {}
        self.state: bytes | None = None
        self.stop: StopRequest = ""

    def report(self, progress: TrainingProgress) -> None:
        """Append to ``progress``."""
        self.progress.append(progress)

    def log(self, message: str) -> None:
        """Append to ``messages``."""
        self.messages.append(message)

    def requested(self) -> StopRequest:
        """Give ``stop``."""
        return self.stop

    def is_for_good(self) -> bool:
        """Somebody set ``stop``."""
        return True

    def save_state(self, state: bytes) -> None:
        """Set ``state``."""
        self.state = state

    def load_state(self) -> bytes | None:
        """Give ``state``."""
        return self.state

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Append to ``checkpoints``."""
        self.checkpoints.append(checkpoint)

    def save_rollouts(self, step: int, rollouts: Sequence[TrainingRollout]) -> None:
        """Set ``rollouts`` of the step."""
        self.rollouts[step] = tuple(rollouts)


def grader_rewarder(grader: CompiledGrader) -> Rewarder:
    """Reward answers with a compiled grader, on the scale 0..1; keep it open meanwhile."""

    def rewards(pairs: Sequence[tuple[Sample, dict[str, Any]]]) -> list[float | None]:
        return [normalized_reward(grader.grader, result) for result in grader.grade_many(pairs)]

    return rewards
