"""Text similarity: a metric of two templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rft_widgets.errors import GraderInvalid, RftError
from rft_widgets.graders.metrics import METRICS, NotMeasurable, cosine
from rft_widgets.graders.outcome import Grade, Outcome, failed, rewarded
from rft_widgets.graders.sample import Sample
from rft_widgets.graders.templates import compile_template
from rft_widgets.model.grader import GradingErrors, TextSimilarity
from rft_widgets.model.llm import Embed


def compile_text_similarity(
    grader: TextSimilarity, where: str = "", embed: Embed | None = None
) -> Grade:
    """Make the function that grades; ``cosine`` needs a way to embed texts."""
    text = compile_template(grader.input, f"{where}input")
    reference = compile_template(grader.reference, f"{where}reference")
    metric = METRICS.get(grader.evaluation_metric)
    if metric is None and embed is None:
        raise GraderInvalid(
            "cosine compares embeddings, and no embedding model is configured",
            where=f"{where}evaluation_metric",
            hint="Configure one, or use fuzzy_match or rouge_l.",
        )

    def grade(sample: Sample, item: Mapping[str, Any]) -> Outcome:
        found, wanted = text.render(sample, item), reference.render(sample, item)
        try:
            if metric is not None:
                return rewarded(metric(found, wanted))
            assert embed is not None  # noqa: S101 - checked when the grader was compiled
            one, other = _vectors(embed, found, wanted)
            return rewarded(cosine(one, other))
        except NotMeasurable as error:
            return failed(str(error), GradingErrors(other_error=True))
        except _EmbeddingFailed as error:
            return failed(
                f"the embedding model failed: {error}",
                GradingErrors(
                    model_grader_server_error=True, model_grader_server_error_details=str(error)
                ),
            )

    return grade


class _EmbeddingFailed(Exception):  # noqa: N818
    pass


def _vectors(embed: Embed, *texts: str) -> tuple[list[float], list[float]]:
    try:
        one, other = ([float(number) for number in vector] for vector in embed(texts))
    except RftError:
        raise  # it ends the whole work
    except Exception as error:
        raise _EmbeddingFailed(f"{type(error).__name__}: {error}"[:500]) from error
    return one, other
