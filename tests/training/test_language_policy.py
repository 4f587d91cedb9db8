"""Trained language models that answer and are served here, of weights that are made on the spot."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from digits import fill
from untrained import keep_run
from vllm_stand_in import write_stand_in

import rft_widgets as rft
from rft_widgets.errors import InvalidArgument, NoCandidate
from rft_widgets.jobs.running import JOBS_VARIABLE
from rft_widgets.model.message import FunctionCall, Message, Tool, ToolCall, tool_from_json
from rft_widgets.model.record import RecordInput
from rft_widgets.model.training import Checkpoint
from rft_widgets.testing.tiny_model import make_tiny_model
from rft_widgets.trainers.language import LanguagePolicy, Sampling, open_language_policy
from rft_widgets.trainers.language.chat import Chat
from rft_widgets.trainers.language.vllm import EXECUTABLE_VARIABLE
from rft_widgets.worker.serving import Endpoints

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

HARDWARE = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
]

HELLO = [Message(role="user", content="Hello there")]
WARM = Sampling(temperature=1.0, seed=7, max_tokens=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A base model, another whole model, and two LoRA adapters of the base model."""
    made = tmp_path_factory.mktemp("models")
    base = lettered(make_tiny_model(made / "base"))
    lettered(make_tiny_model(made / "whole", seed=5))
    for number in (1, 2):
        torch.manual_seed(number)
        settings = peft.LoraConfig(
            r=4,
            lora_alpha=64,
            target_modules=["q_proj", "v_proj", "down_proj"],
            init_lora_weights=False,
        )
        model = transformers.AutoModelForCausalLM.from_pretrained(base)
        peft.get_peft_model(model, settings).save_pretrained(made / f"adapter-{number}")
    del model
    gc.collect()
    gc.freeze()  # what is loaded by now need not be looked through after every test
    yield made
    gc.unfreeze()


def lettered(model: Path) -> Path:
    """Have a random model write letters, which are whole characters."""
    weights = transformers.AutoModelForCausalLM.from_pretrained(model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    letters = tokenizer.convert_tokens_to_ids(list("abcdefghijklmnopqrstuvwxyz"))
    others = torch.ones(weights.config.vocab_size, dtype=torch.bool)
    others[letters] = False
    with torch.no_grad():
        weights.lm_head.weight[others] = 0
    weights.save_pretrained(model)
    return model


@pytest.fixture
def opened(folder) -> Iterator:
    """Opens policies; what is left open is closed."""
    policies: list[LanguagePolicy] = []

    def open_policy(trained: str | None, **options) -> LanguagePolicy:
        options = {"max_new_tokens": 12} | options
        policies.append(
            open_language_policy(
                str(folder / "base"), None if trained is None else folder / trained, **options
            )
        )
        return policies[-1]

    yield open_policy
    for one in policies:
        one.close()


def models_in_memory() -> int:
    gc.collect()
    return sum(type(one) is transformers.Qwen2ForCausalLM for one in gc.get_objects())


def text_of(policy: LanguagePolicy, **options) -> str:
    return policy.respond(HELLO, **options).message.text


# Answering ---------------------------------------------------------------------------------------


def test_many_answers_are_those_that_each_prompt_has_alone(opened):
    policy = opened("whole", batch_size=3)
    prompts = [
        RecordInput((Message(role="user", content="x" * length),))
        for length in (5, 300, 1, 2_000, 80, 990, 41)
    ]
    many = list(policy.respond_many(prompts))
    assert many[3] is None  # longer than the model reads
    with pytest.raises(NoCandidate, match="reads 1,024"):
        policy.respond(prompts[3].messages)
    for prompt, found in zip(prompts, many, strict=True):
        if found is not None:
            alone = policy.respond(prompt.messages)
            assert (found.message, found.finish_reason, found.usage) == (
                alone.message, alone.finish_reason, alone.usage,
            )  # fmt: skip
            assert found.seconds > 0
    assert many[0].usage.completion_tokens == 12
    assert many[0].finish_reason == "length"
    assert many[5].usage.total_tokens <= 1_024
    assert list(policy.respond_many([])) == []


def test_adapters_share_their_base_model_and_leave_it_as_it_was(opened):
    before = models_in_memory()
    alone = opened(None)
    expected = text_of(alone)
    one, two = opened("adapter-1"), opened("adapter-2")
    assert len({expected, text_of(one), text_of(two), text_of(one)}) == 3
    for policy in (one, two):
        assert text_of(policy, reference=True) == expected
    assert text_of(alone) == expected
    assert models_in_memory() == before + 1
    for policy in (alone, one, two):
        policy.close()
        policy.close()
    assert models_in_memory() == before
    with pytest.raises(InvalidArgument, match="closed"):
        text_of(one)


def test_a_whole_model_has_the_base_model_beside_it(opened):
    policy = opened("whole")
    assert text_of(policy) != text_of(policy, reference=True)
    assert text_of(policy, reference=True) == text_of(opened(None))
    again = opened("whole")
    assert text_of(again) == text_of(policy)
    assert models_in_memory() == 2
    assert policy.served_by == f"transformers on this machine ({HARDWARE})"


def test_sampling_is_kept_to_and_leaves_chance_alone(opened):
    policy = opened("whole")
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    drawn = text_of(policy, sampling=WARM)
    assert torch.equal(torch.rand(3), expected)
    assert text_of(policy, sampling=WARM) == drawn
    assert text_of(policy, sampling=Sampling(temperature=1.0, seed=8, max_tokens=30)) != drawn
    short = policy.respond(HELLO, sampling=Sampling(max_tokens=3))
    assert (short.usage.completion_tokens, short.finish_reason) == (3, "length")
    whole = policy.respond(HELLO)
    stop = whole.message.text[4:6]
    ended = policy.respond(HELLO, sampling=Sampling(stop=(stop,)))
    assert ended.message.text == whole.message.text.partition(stop)[0]
    assert ended.finish_reason == "stop"
    assert ended.usage.completion_tokens < whole.usage.completion_tokens


def test_pieces_add_up_and_an_answer_can_be_stopped(opened):
    policy = opened("whole")
    for sampling in (Sampling(), WARM, Sampling(temperature=1.0, seed=3, stop=("x", "\n"))):
        pieces: list[str] = []
        found = policy.respond(HELLO, sampling=sampling, on_text=pieces.append)
        assert "".join(pieces) == found.message.text
        assert len(pieces) > 1
    asked = iter([False, False, False, True])
    cut = policy.respond(HELLO, stopped=lambda: next(asked, True))
    assert cut.usage.completion_tokens == 4


def test_threads_share_a_policy_and_closing_ends_what_is_under_way(opened):
    policy, other = opened("adapter-1"), opened("adapter-2")
    expected = {True: text_of(policy), False: text_of(other)}
    wrong: list[str] = []

    def work(is_first: bool) -> None:
        for _ in range(5):
            found = text_of(policy if is_first else other)
            if found != expected[is_first]:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong

    long = opened("whole", max_new_tokens=900)
    begun = threading.Event()
    ended: list[Exception] = []

    def generate() -> None:
        try:
            long.respond(HELLO, on_text=lambda _: begun.set())
        except InvalidArgument as error:
            ended.append(error)

    thread = threading.Thread(target=generate)
    thread.start()
    assert begun.wait(20)
    began = time.monotonic()
    long.close()
    thread.join()
    assert time.monotonic() - began < 2
    assert ended


def test_what_a_model_cannot_read_is_said(opened, folder, tmp_path):
    policy = opened("whole")
    picture = Message(role="user", content=({"type": "image_url", "image_url": {"url": "x"}},))
    with pytest.raises(NoCandidate, match="text alone"):
        policy.respond([picture])
    assert list(policy.respond_many([RecordInput((picture,))])) == [None]
    with pytest.raises(InvalidArgument, match="is missing"):
        opened("nowhere")
    (tmp_path / "empty").mkdir()
    broken = open_language_policy(str(folder / "base"), tmp_path / "empty")
    with pytest.raises(InvalidArgument, match="cannot be loaded"):
        broken.load()
    broken.close()


# Tools -------------------------------------------------------------------------------------------

TOOL = tool_from_json(
    {"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}
)
TAGS = (
    "{% if tools %}<|im_start|>system\n{{ tools | tojson }} Answer with <tool_call>.<|im_end|>\n"
    "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function.arguments['id'] }}</tool_call>"
    "{% endfor %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


@pytest.fixture
def chat(folder) -> Chat:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "base")
    tokenizer.chat_template = TAGS
    return Chat(tokenizer, "a model")


def read(chat: Chat, text: str, tools: tuple[Tool, ...] = (TOOL,)) -> Message:
    ids = chat.tokenizer(text, add_special_tokens=False)["input_ids"]
    return chat.answer(ids, [], tools, text)


def test_tools_are_offered_and_calls_read_where_both_are_known(chat, folder, opened):
    assert chat.takes_tools
    call = ToolCall(type="function", function=FunctionCall(name="track", arguments='{"id": "A1"}'))
    history = (*HELLO, Message(role="assistant", tool_calls=(call,)))
    prompt = chat.text(chat.prompt(RecordInput(history, (TOOL,))))
    assert '"name": "track"' in prompt
    assert "<tool_call>A1</tool_call>" in prompt
    found = read(
        chat, 'I look.\n<tool_call>\n{"name": "track", "arguments": {"id": 7}}</tool_call>'
    )
    assert found.content == "I look."
    assert found.tool_calls[0].function == FunctionCall(name="track", arguments='{"id":7}')
    for broken in ("<tool_call>{]</tool_call>", "<tool_call>[1]</tool_call>", "<tool_call>{}"):
        assert read(chat, broken) == Message(role="assistant", content=broken)
    assert not read(chat, '<tool_call>{"name": "track"}</tool_call>', ()).tool_calls
    thought = read(chat, "<think>\nhm\n</think>\n\nYes.")
    assert (thought.content, thought.extra) == ("Yes.", {"reasoning_content": "hm"})
    plain = opened("whole")
    assert not plain.takes_tools
    assert plain.respond(HELLO, [TOOL]).message == plain.respond(HELLO).message


def test_a_model_without_a_chat_template_is_refused(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "base")
    tokenizer.chat_template = None
    with pytest.raises(InvalidArgument, match="no chat template"):
        Chat(tokenizer, "a model")


# Serving -----------------------------------------------------------------------------------------


@pytest.fixture
def run(folder, sqlite_workspace) -> rft.TrainingJob:
    """A completed run with two checkpoints, which are adapters."""
    from rft_widgets.trainers.trl.artifact import Artifact

    ds = fill(sqlite_workspace.create("Tiny"), 30)
    config = rft.TrainingConfig(trainer="trl", base_model=str(folder / "base"), train_ratio=0.7)
    steps = [Checkpoint(step=n, model=f"checkpoints/checkpoint-{n}") for n in (1, 2)]
    made = Artifact(
        base=str(folder / "base"), model="checkpoints/checkpoint-2", max_completion_tokens=16
    )
    job = keep_run(ds, config, made, steps, served_step=2)
    (job.folder / "checkpoints").mkdir()
    for n in (1, 2):
        (job.folder / f"checkpoints/checkpoint-{n}").symlink_to(folder / f"adapter-{n}")
    return job


@pytest.fixture
def ds(run, sqlite_workspace) -> rft.OptimizationDataset:
    return sqlite_workspace.dataset(run.dataset_id)


def client(deployment: rft.Deployment) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=deployment.base_url, api_key=deployment.token, max_retries=0, timeout=30
    )


def asked(deployment: rft.Deployment, model: str = "rft-tiny", **options):
    with client(deployment) as one:
        raw = one.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": "Hello there"}], **options
        )
        return raw.headers, raw.parse()


def test_a_deployment_answers_token_by_token_as_it_is_asked(ds, run, opened):
    before = models_in_memory()
    deployment = ds.deploy(job=run)
    try:
        assert deployment.served.said == f"Served by transformers on this machine ({HARDWARE})."
        expected = run.policy()
        headers, whole = asked(deployment)
        answer = expected.respond(HELLO)
        assert whole.choices[0].message.content == answer.message.text
        assert whole.usage.completion_tokens == answer.usage.completion_tokens
        assert "x-rft-usage" not in headers
        with client(deployment) as one:
            pieces = list(
                one.chat.completions.create(
                    model="rft-tiny",
                    messages=[{"role": "user", "content": "Hello there"}],
                    stream=True,
                    stream_options={"include_usage": True},
                )
            )
        texts = [p.choices[0].delta.content for p in pieces if p.choices]
        assert "".join(filter(None, texts)) == answer.message.text
        assert len(pieces) > 5
        assert pieces[-2].choices[0].finish_reason == "length"
        assert pieces[-1].usage == whole.usage
        drawn = {"temperature": 1.0, "seed": 4, "top_p": 0.9, "max_tokens": 5}
        first, second = (asked(deployment, **drawn)[1] for _ in range(2))
        assert first.choices == second.choices
        assert first.usage.completion_tokens == 5
        for wrong in (
            {"temperature": 3}, {"top_p": 0}, {"stop": ["a"] * 5}, {"logprobs": True},
            {"response_format": {"type": "json_object"}},
            {"tools": [{"type": "function", "function": {"name": "track"}}]},
        ):  # fmt: skip
            with pytest.raises(openai.BadRequestError) as refused:
                asked(deployment, **wrong)
            assert refused.value.param == next(iter(wrong))
        with (
            pytest.raises(openai.UnprocessableEntityError, match="reads 1,024"),
            client(deployment) as one,
        ):
            one.chat.completions.create(
                model="rft-tiny", messages=[{"role": "user", "content": "x" * 2_000}], stream=True
            )
        expected.close()
    finally:
        deployment.stop()
    assert models_in_memory() == before
    kept = [one for one in deployment.exchanges() if one.streamed and one.outcome == "completed"]
    assert kept[0].answer["content"] == answer.message.text


def test_replace_and_an_ab_test_have_the_base_model_beside_it(ds, run, opened):
    base = opened(None, max_new_tokens=16)
    replace = ds.deploy("replace", job=run, base_model="desk")
    try:
        assert asked(replace, "desk")[0]["x-rft-arm"] == "tuned"
        replace.roll_back()
        headers, answer = asked(replace, "desk")
        assert headers["x-rft-arm"] == "base"
        assert answer.choices[0].message.content == text_of(base)
    finally:
        replace.stop()
    run.choose_checkpoint(1)
    ab_test = ds.deploy("ab_test", job=run)
    try:
        run.choose_checkpoint(None)
        assert ab_test.config.checkpoint == 1
        arms = {asked(ab_test, "base", user=f"user {n}")[0]["x-rft-arm"] for n in range(10)}
        assert arms == {"tuned", "base"}
        ends = time.monotonic() + 10
        while sum(arm.requests for arm in ab_test.counts.values()) < 10:
            assert time.monotonic() < ends
            time.sleep(0.02)
        found = ab_test.outcome()
        assert found.tuned.graded + found.base.graded == 10
        assert found.tuned.reward is not None
        served = {one.answer["content"] for one in ab_test.exchanges() if one.arm == "tuned"}
        first = run.policy(1)
        assert served == {text_of(first)}
        first.close()
    finally:
        ab_test.stop()


def test_playground_and_benchmark_compare_a_checkpoint_with_the_base_model(ds, run, opened):
    before = models_in_memory()
    played = ds.playground("Hello there", job=run, checkpoint=1)
    assert played["tuned"].message.text == text_of(opened("adapter-1", max_new_tokens=16))
    assert played["base"].message.text == text_of(opened(None, max_new_tokens=16))
    assert played["tuned"].source_record_id is None
    assert played["tuned"].usage.completion_tokens == 16
    assert played["tuned"].latency_s > 0
    told: list[str] = []
    found = ds.benchmark(run, progress=lambda _, words: told.append(words))
    prompts = len(run.split.valid)
    assert found.change.n == prompts
    assert found.checkpoint == 2
    assert found.base_latency_s > 0
    assert told[0] == f"1 of {2 * prompts} prompts asked"
    assert models_in_memory() <= before + 1


def test_vllm_answers_for_both_arms_where_it_is_there(ds, run, tmp_path, monkeypatch):
    monkeypatch.setenv(EXECUTABLE_VARIABLE, str(write_stand_in(tmp_path)))
    before = models_in_memory()
    deployment = ds.deploy("ab_test", job=run)
    try:
        assert deployment.served.said == "Served by vLLM on this machine."
        said = set()
        for n in range(10):
            headers, answer = asked(deployment, "base", user=f"user {n}")
            said.add((headers["x-rft-arm"], answer.choices[0].message.content))
        assert said == {("tuned", "tuned says Hello there"), ("base", "base says Hello there")}
        assert models_in_memory() == before
        called = (run.folder / "vllm.log").read_text()
        assert f"tuned={run.folder / 'checkpoints/checkpoint-2'}" in called
    finally:
        deployment.stop()


def test_a_worker_that_comes_later_serves_it_again(ds, run, sqlite_workspace, monkeypatch):
    monkeypatch.setenv(JOBS_VARIABLE, "worker")
    deployment = ds.deploy(job=run, start=False)
    before = models_in_memory()
    seen = []
    for owner in ("first", "second"):
        endpoints = Endpoints(ds._store, owner)
        ends, done = time.monotonic() + 40, threading.Event()
        if owner == "first":
            from rft_widgets.dataset import served

            served.ask(ds._store, deployment.id, host="127.0.0.1", port=0)
        while deployment.served.status != "served" or not done.is_set():
            endpoints.tick()
            if deployment.served.status == "served":
                done.set()
            assert time.monotonic() < ends, deployment.served
            time.sleep(0.05)
        seen.append((deployment.base_url, deployment.token, deployment.served.said))
        asked(deployment)
        endpoints.close()
        assert models_in_memory() == before
    assert seen[0] == seen[1]
    assert seen[0][2] == f"Served by transformers on this machine ({HARDWARE})."
    deployment.stop()
