"""Names, descriptions and keywords of topics from a language model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rft_widgets.model.estimate import Workload, tokens_in
from rft_widgets.model.topic import TopicNaming
from rft_widgets.model.topic_settings import CLUSTERING, TOPIC_MODEL, TopicModelSettings
from rft_widgets.steps.topics.asking import FENCE, Asked, Replies, answer_schema, ask_about
from rft_widgets.steps.topics.naming import GivenName, TopicDraft, clean_name, described

_SCHEMA = answer_schema(
    "topics",
    {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "keywords": {"type": "array", "items": {"type": "string"}},
    },
)
_TASK = (
    "You name topics that were found in messages to an assistant. Each topic of the user message "
    "has a number, the words that set it apart, and messages that belong to it, or the topics that "
    "lie below it. Give each a name of one to four words in title case that says what its messages "
    "have in common and sets it apart from the other topics; a description of one sentence that "
    "says what belongs to it; and three to eight words or phrases that such messages use. No two "
    "names may be the same, and none may be one of those taken. "
    'Answer with JSON: {"topics": [{"number": 1, "name": "...", "description": "...", '
    '"keywords": ["..."]}]}, one item for each topic.'
)
_WRAPPING = " \t\r\n\"'`*_.,:;#-–—“”‘’«»"  # noqa: RUF001 - marks that models put around names
_LABEL = re.compile(r"^(?:topic|name|category|cluster)?\s*\d*\s*[:.)\]]\s+", re.IGNORECASE)


class ModelNamer:
    """A `Namer` that asks a model. What it gives no usable name keeps the name of its keywords.

    A name that has too many words for one, a slash, or quotes around it is mended. A topic without
    a name, or with that of a sibling, is asked about once more.

    Parameters
    ----------
    client
        The model.
    instructions
        What whoever asks wants of the names, in their words.
    tell
        Called with what is being done, before each request; may raise to stop.
    settings
        Every number.
    """

    def __init__(
        self,
        client: Asked,
        *,
        instructions: str = "",
        tell: Callable[[str], None] | None = None,
        settings: TopicModelSettings = TOPIC_MODEL,
    ) -> None:
        self._client, self._settings, self._tell = client, settings, tell
        self._system = _with_instructions(instructions)
        self._named = self._kept = 0
        self._problem = ""

    @property
    def naming(self) -> TopicNaming:
        """Who has named how many topics so far."""
        return TopicNaming(
            model=self._client.model,
            by_model=self._named,
            by_keywords=self._kept,
            problem=self._problem,
        )

    def __call__(self, drafts: Sequence[TopicDraft]) -> list[GivenName]:
        """Name the topics, those under one parent together."""
        families: dict[str, list[int]] = {}
        for place, draft in enumerate(drafts):
            families.setdefault(draft.under, []).append(place)
        given: dict[int, GivenName] = {}
        for places in families.values():
            taken: set[str] = set()
            size = self._settings.topics_per_request
            for start in range(0, len(places), size):
                some = places[start : start + size]
                found = self._family([drafts[place] for place in some], taken)
                given.update(zip(some, found, strict=True))
        return [given[place] for place in range(len(drafts))]

    def _family(self, drafts: Sequence[TopicDraft], taken: set[str]) -> list[GivenName]:
        """Name some siblings; ``taken`` are names of others, to which these are added."""
        found: dict[int, GivenName] = {}
        problem = ""
        for attempt in range(2):
            missing = [place for place in range(len(drafts)) if place not in found]
            if not missing:
                break
            replies = self._ask({place: drafts[place] for place in missing}, taken, attempt)
            problem = replies.problem
            for place in missing:
                name = self._read(replies.items.get(place + 1, {}))
                if name is not None and name[0].casefold() not in taken:
                    found[place] = name
                    taken.add(name[0].casefold())
            if replies.is_final:
                break
        self._named += len(found)
        if len(found) < len(drafts):
            self._kept += len(drafts) - len(found)
            usual = "it gave no name, or the same as that of another topic"
            self._problem = self._problem or problem or usual
        for place, draft in enumerate(drafts):
            if place not in found:
                found[place] = (draft.name, described(draft), draft.keywords)
                taken.add(draft.name.casefold())
        return [found[place] for place in range(len(drafts))]

    def _ask(self, drafts: Mapping[int, TopicDraft], taken: set[str], attempt: int) -> Replies:
        if self._tell is not None:
            self._tell(f"Naming {len(drafts):,} topics")
        return ask_about(
            self._client,
            self._system,
            _shown(drafts, taken, self._settings),
            _SCHEMA,
            max_tokens=self._settings.name_tokens * (len(drafts) + 1),
            repeat=attempt,
        )

    def _read(self, item: Mapping[str, Any]) -> GivenName | None:
        name = mended_name(item.get("name"), self._settings)
        if not name:
            return None
        about = item.get("description")
        words = item.get("keywords")
        return (
            name,
            _sentence(about, self._settings) if isinstance(about, str) else "",
            tuple(_keywords(words)) if isinstance(words, list) else (),
        )


def mended_name(value: Any, settings: TopicModelSettings = TOPIC_MODEL) -> str:
    """A name as it was meant: ``Refunds & Returns`` where a model says ``1. "Refunds/Returns"``.

    Parameters
    ----------
    value
        What a model gave.
    settings
        How long a name may be.

    Returns
    -------
    The name; nothing where that is no name but a sentence, or not even text.
    """
    if not isinstance(value, str):
        return ""
    text = _LABEL.sub("", value.strip(_WRAPPING)).strip(_WRAPPING)
    name = clean_name(re.sub(r"\s*[/\\|]\s*", " & ", text)).strip("& ")
    if len(name) > settings.name_chars:
        name = ""
    return name[:1].upper() + name[1:]


def naming_workload(topics: int, text_chars: float, instructions: str = "") -> Workload:
    """Calls and tokens that naming so many topics is expected to take.

    Parameters
    ----------
    topics
        How many, groups included.
    text_chars
        Usual length of a text.
    instructions
        As for `ModelNamer`.
    """
    calls = -(-topics // TOPIC_MODEL.topics_per_request)
    shown = CLUSTERING.examples * min(text_chars, TOPIC_MODEL.example_chars)
    system = tokens_in(f"{_with_instructions(instructions)}\n\n{FENCE}")
    return Workload(
        calls=calls,
        prompt_tokens=calls * system + topics * (tokens_in("x" * int(shown)) + 40),
        completion_tokens=topics * TOPIC_MODEL.name_tokens // 2,
    )


def _with_instructions(instructions: str) -> str:
    wanted = instructions.strip()
    return f"{_TASK}\n\nWhoever asks wants this: {wanted}" if wanted else _TASK


def _shown(
    drafts: Mapping[int, TopicDraft], taken: set[str], settings: TopicModelSettings
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "topics": [
            {"number": place + 1, "words": draft.keywords}
            | (
                {"topics below": draft.parts}
                if draft.parts
                else {"messages": [text[: settings.example_chars] for text in draft.examples]}
            )
            for place, draft in drafts.items()
        ]
    }
    return shown | ({"taken": sorted(taken)} if taken else {})


def _sentence(text: str, settings: TopicModelSettings) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[: settings.description_chars].strip()


def _keywords(values: Sequence[Any]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        word = clean_name(value).strip(_WRAPPING) if isinstance(value, str) else ""
        if word and word.casefold() not in seen and len(seen) < CLUSTERING.keywords:
            seen.add(word.casefold())
            yield word
