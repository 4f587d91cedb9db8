"""Prompts as tokens, and the answers that are sampled for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from rft_widgets.errors import NoCandidate
from rft_widgets.model.record import Record
from rft_widgets.trainers.language.chat import Chat
from rft_widgets.trainers.tinker.groups import Answer, Group
from rft_widgets.trainers.tinker.service import Session


class Prompts(Struct, frozen=True):
    """Prompts as tokens, by the record's id; ``refused`` are those that the model cannot read."""

    tokens: dict[str, list[int]]
    refused: int


class Asked(Struct, frozen=True):
    """A prompt that is being answered."""

    record: Record
    prompt: list[int]
    future: Any


def read_prompts(
    chat: Chat, records: Sequence[Record], *, most: int | None, log: Callable[[str], None]
) -> Prompts:
    """Write prompts as the model's chat template does.

    Parameters
    ----------
    chat
        The template.
    records
        Whose prompts.
    most
        Most tokens of a prompt; ``None`` where nobody knows.
    log
        Told how many are left out, and why the first one is.
    """
    found, refused, why = {}, 0, ""
    for record in records:
        try:
            tokens = chat.prompt(record.input)
        except NoCandidate as error:
            refused, why = refused + 1, why or str(error)
            continue
        if most is not None and len(tokens) > most:
            refused += 1
            why = why or f"One has {len(tokens):,} tokens, and there is room for {most:,}."
            continue
        found[record.id] = tokens
    if refused:
        log(f"{refused} prompts are left out. {why}")
    return Prompts(found, refused)


class Asker:
    """Asks the model for answers in one session."""

    def __init__(self, session: Session, chat: Chat, prompts: Prompts, temperature: float) -> None:
        self.session, self.chat, self.prompts = session, chat, prompts
        self._temperature = temperature
        self._stop = stop_tokens(chat.tokenizer)

    def ask(
        self, sampler: Any, records: Sequence[Record], *, times: int, greedy: bool = False
    ) -> list[Asked]:
        """Have every prompt answered so many times, all at once."""
        temperature = 0.0 if greedy else self._temperature
        asked = []
        for record in records:
            prompt = self.prompts.tokens[record.id]
            future = self.session.ask(
                sampler, prompt, times=times, temperature=temperature, stop=self._stop
            )
            asked.append(Asked(record, prompt, future))
        return asked

    def answers(self, asked: Sequence[Asked]) -> list[Group]:
        """Wait for the answers; none of them is graded yet."""
        return [
            Group(
                record=one.record,
                prompt=tuple(one.prompt),
                answers=tuple(
                    Answer(
                        tokens=tuple(found.tokens),
                        logprobs=tuple(found.logprobs or ()),
                        message=self.chat.answer(
                            found.tokens,
                            one.prompt,
                            one.record.input.tools,
                            self.chat.text(found.tokens),
                        ),
                    )
                    for found in self.session.wait(one.future).sequences
                ),
            )
            for one in asked
        ]


def stop_tokens(tokenizer: Any) -> list[int]:
    """Tokens that end an answer: the tokenizer's own, and what its template puts after one."""
    found = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    turns = [{"role": "user", "content": "-"}, {"role": "assistant", "content": "-"}]
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    special = set(tokenizer.all_special_ids)
    marks = [i for i in tokenizer(text, add_special_tokens=False)["input_ids"] if i in special]
    return list(dict.fromkeys([*found, *marks[-1:]]))
