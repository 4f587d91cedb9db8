"""The model sees the same prompts, and its answers are read the same, in training and served."""

from __future__ import annotations

import msgspec
import pytest

pytestmark = pytest.mark.training
pytest.importorskip("trl")

from rft_widgets.model.message import (  # noqa: E402
    FunctionCall,
    FunctionDefinition,
    Message,
    Tool,
    ToolCall,
    message_from_json,
    to_json,
)
from rft_widgets.model.record import RecordInput  # noqa: E402
from rft_widgets.testing.tiny_model import make_tiny_model  # noqa: E402
from rft_widgets.trainers.language.chat import Chat as Served  # noqa: E402
from rft_widgets.trainers.program.rft_training.chat import Chat as Trained  # noqa: E402

TAGS = (
    "{% if tools %}<|im_start|>system\nTools: {{ tools | tojson }} Write <tool_call>{}</tool_call>"
    "<|im_end|>\n{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function.arguments | tojson }}</tool_call>"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% endif %}"
)
TOOL = Tool("function", FunctionDefinition("look", "Looks.", {"type": "object", "properties": {}}))
CALL = ToolCall("function", "c1", FunctionCall("look", '{"at": "it"}'))
PROMPTS = [
    RecordInput((Message("user", "Hello"),)),
    RecordInput((Message("developer", "Be brief."), Message("user", "Hello")), (TOOL,)),
    RecordInput((Message("user", ({"type": "text", "text": "a"}, {"type": "text", "text": "b"})),)),
    RecordInput(
        (
            Message("user", "Look"),
            Message("assistant", None, tool_calls=(CALL,)),
            Message("tool", "seen", tool_call_id="c1"),
        ),
        (TOOL,),
    ),
]
ANSWERS = [
    "Just text.",
    "<think>\nHm.\n</think>\n\nText after a thought.",
    '<tool_call>\n{"name": "look", "arguments": {"at": "ü"}}\n</tool_call>',
    'Wait. <tool_call>{"name": "look"}</tool_call>\n<tool_call>{"name": "b", "arguments": "{}"}'
    "</tool_call>",
    '<tool_call>{"name": "look", }</tool_call>',
    '<tool_call>{"name": "look", "arg',
    "",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.mark.parametrize("template", [None, TAGS])
@pytest.mark.parametrize("adds_first", [False, True])
def test_prompts_and_answers_are_the_same(folder, template, adds_first):
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if template is not None:
        tokenizer.chat_template = template
    if adds_first:
        first = "<|im_start|>"  # with which every text of these templates begins
        tokenizer.bos_token = first
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=f"{first} $A", special_tokens=[(first, tokenizer.bos_token_id)]
        )
        assert tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    served, trained = Served(tokenizer, "tiny"), Trained(tokenizer, "tiny")
    assert trained.takes_tools == served.takes_tools == (template is not None)
    for asked in PROMPTS:
        messages, tools = (msgspec.to_builtins(to_json(x)) for x in (asked.messages, asked.tools))
        text = trained.prompt(messages, tools)
        ids = served.prompt(asked)
        assert trained.tokens(text) == ids
        for answer in ANSWERS:
            tokens = tokenizer(answer, add_special_tokens=False)["input_ids"]
            read = served.answer(tokens, ids, asked.tools, served.text(tokens))
            assert message_from_json(trained.answer(tokens, text, tools)) == read
