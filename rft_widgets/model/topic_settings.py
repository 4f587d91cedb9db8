"""Every number of topics, coverage and near-duplicates, each one documented and changeable."""

from __future__ import annotations

from msgspec import Struct


class TopicLimits(Struct, frozen=True, kw_only=True):
    """What a topic hierarchy may look like."""

    max_depth: int = 5
    """Deepest level of a hierarchy; a topic without a parent is on level 1."""
    max_name_chars: int = 200
    """Longest name of a topic."""
    max_topics: int = 10_000
    """Most topics of one hierarchy."""
    max_file_bytes: int = 10_000_000
    """Largest topics file that is read."""
    max_upload_bytes: int = 2_000_000
    """Largest topics file that a page takes."""


class ClusterSettings(Struct, frozen=True, kw_only=True):
    """How topics are found in texts."""

    max_chars: int = 1_000
    """Characters of a text that are looked at; the rest is ignored."""
    sample_texts: int = 50_000
    """Texts that the features and the clusters are fitted on; the rest is only assigned."""
    decomposition_texts: int = 20_000
    """Texts of the sample that the latent axes are fitted on."""
    axes: int = 128
    """Latent axes that texts are clustered in."""
    answer_axes: int = 64
    """Latent axes of the recorded answers, where topics are found by them."""
    min_answered: float = 0.5
    """Share (0..1) of the texts that must have an answer for topics to be found by answers."""
    foretold: float = 0.6
    """Share (0..1) of texts, held out, whose words must point to their own answer rather than to
    that of another text for topics to be found by answers; 0.5 is chance."""
    max_features: int = 40_000
    """Words, pairs of words and character n-grams that are kept, the most frequent ones."""
    min_topics: int = 2
    """Fewest topics that are looked for."""
    max_topics: int = 30
    """Most topics that are looked for; a caller may ask for more by number."""
    choice_texts: int = 2_500
    """Texts that the number of topics is chosen on."""
    enough_agreement: float = 0.8
    """Share (0..1) of the most that two halves of the texts agree on, in nats, that the number of
    topics has to reach; the smallest that does is chosen."""
    min_texts: int = 4
    """Texts below which there is one topic for all of them."""
    default_depth: int = 2
    """Levels of a hierarchy when the caller does not say."""
    min_grouped_topics: int = 12
    """Topics below which no second level is made."""
    grouping_silhouette: float = 0.1
    """Mean silhouette (-1..1) of the topics in their groups from which a second level pays; groups
    of directions that have nothing in common reach 0.05 to 0.08."""
    other_chance: float = 0.2
    """A text is in no topic when its similarity to the nearest one is no higher than the nearest of
    so many topics, none of them its own, comes with this chance (0..1)."""
    keywords: int = 8
    """Keywords of a topic that is found."""
    examples: int = 10
    """Texts of a topic that whoever names it is shown."""


class CategorizeSettings(Struct, frozen=True, kw_only=True):
    """How records are put under topics. All confidences lie in 0..1."""

    accept_keyword: float = 0.9
    """Confidence from which a keyword alone decides."""
    accept_similarity: float = 0.7
    """Confidence from which similarity decides; below it a record needs review."""
    high_confidence: float = 0.8
    """Confidence from which the band is high."""
    medium_confidence: float = 0.5
    """Confidence from which the band is medium; below it the record needs review."""
    axes: int = 256
    """Latent axes that records are compared in."""
    members_per_topic: int = 100
    """Most confirmed records of one topic that are learned from."""
    max_members: int = 6_000
    """Most confirmed records that are learned from in all."""
    enough_measured: int = 10
    """Confirmed records from which a measure of the confidences says something."""
    folds: int = 5
    """Parts that confirmed records are held out in, to measure how sure a decision is."""
    regularization: float = 10.0
    """Inverse strength of the penalty on what the linear model adds to the topics' own words."""
    trust_in_words: float = 8.0
    """How much the topics' own words weigh in the linear model's scores."""
    few_texts: int = 20
    """Texts from which what they have in common is believed by half."""
    usual_temperature: float = 0.15
    """Temperature of the linear model's scores that is assumed before anything is measured, for
    each unit of the natural logarithm of the number of topics. It weighs as much as two confirmed
    records of each topic, and a measured one is at most twice as high."""
    unlabelled_sharpness: float = 12.0
    """Inverse temperature of similarities when there is no confirmed record to measure it on."""
    untrained_keyword: tuple[float, ...] = (0.5, 0.65, 0.9)
    """Confidence of 1, 2, 3 or more units of keyword evidence, before anything is measured."""
    chunk_texts: int = 8_192
    """Texts that are worked on at a time."""


class TopicModelSettings(Struct, frozen=True, kw_only=True):
    """How a language model names topics and decides about records."""

    instructions_chars: int = 4_000
    """Longest instructions to the model."""
    topics_per_request: int = 8
    """Topics that are named in one request; those under one parent come together."""
    example_chars: int = 300
    """Characters of a text that the model sees to name a topic."""
    name_chars: int = 60
    """Longest name that is taken from a model."""
    description_chars: int = 400
    """Characters of a description that are kept."""
    name_tokens: int = 160
    """Tokens of an answer for each topic to be named."""
    records_per_request: int = 10
    """Records that the model decides about in one request."""
    record_chars: int = 800
    """Characters of a record that the model sees to decide about it."""
    decision_tokens: int = 40
    """Tokens of an answer for each record."""
    listed_topics: int = 120
    """Topics that a request lists; where there are more, those that are likely for its records."""
    likely_topics: int = 20
    """Likely topics of a record that are listed then."""
    keywords_listed: int = 6
    """Keywords of a topic that a request lists."""
    confirmed: int = 60
    """Most confirmed records that the model is tried on, of those that similarity is unsure of."""
    enough_confirmed: int = 20
    """Such records from which they alone say how often the model is right. Below, the model is
    also asked a second time about some records."""
    repeated: int = 30
    """Records that it is asked about a second time then, with the topics in another order."""
    stated_high: float = 0.8
    """Confidence (0..1) from which the model calls itself sure."""
    untrained: tuple[float, float, float, float] = (0.55, 0.65, 0.75, 0.85)
    """Confidence before anything is measured: unsure and sure where similarity says another topic,
    unsure and sure where it says the same."""
    prior_records: int = 4
    """Confirmed records that what is assumed weighs as much as."""
    estimated_on: int = 1_000
    """Records on which it is estimated how many a model has to decide about."""
    measured_texts: int = 200
    """Records whose length is taken for the usual one."""


class EmbeddingSettings(Struct, frozen=True, kw_only=True):
    """How texts are placed by an embedding model."""

    sample_texts: int = 20_000
    """Texts that topics are looked for in; words take more, but cost nothing."""
    axes: int = 128
    """Most axes that are kept of the vectors, those along which texts differ most."""


class CoverageSettings(Struct, frozen=True, kw_only=True):
    """When a distribution of records over topics is good enough."""

    gap_points: float = 5.0
    """Percentage points that a share may miss its target by."""
    good_balance: float = 0.6
    """Balance score (0..1) from which the band is Good."""
    fair_balance: float = 0.4
    """Balance score (0..1) from which the band is Fair; below it, it is Poor."""
    min_records: int = 100
    """Records below which a dataset is called small."""
    dominant_percent: float = 40.0
    """Percentage above which one topic is called dominant."""
    near_duplicate_percent: float = 10.0
    """Percentage of near-duplicates above which they are worth a recommendation."""
    largest_gaps: int = 3
    """Topics that the recommendations name for missing records."""
    target_tolerance: float = 0.5
    """Percentage points that targets may miss a sum of 100 by, from rounding each of them."""


class DuplicateSettings(Struct, frozen=True, kw_only=True):
    """When two texts are nearly the same."""

    sample_records: int = 20_000
    """Records of a dataset that are compared with each other."""
    threshold: float = 0.9
    """Shared part (0..1, Jaccard) of the word triples of two texts from which they are one."""
    words: int = 3
    """Words and symbols of one shingle."""
    permutations: int = 64
    """Hash functions of a signature."""
    template_share: float = 0.05
    """Share of texts (0..1) above which a shingle belongs to a template."""
    template_min_texts: int = 10
    """A shingle of no more texts than this never belongs to a template."""
    template_max_texts: int = 500
    """A shingle of more texts than this always belongs to a template."""


TOPIC_LIMITS = TopicLimits()
CLUSTERING = ClusterSettings()
CATEGORIZE = CategorizeSettings()
TOPIC_MODEL = TopicModelSettings()
EMBEDDING = EmbeddingSettings()
COVERAGE = CoverageSettings()
DUPLICATES = DuplicateSettings()
