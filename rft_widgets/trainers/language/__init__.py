"""Trained language models that answer: by weights on this machine, or at a service.

What trains language models makes its `Policy` here. Nothing heavy is loaded before one answers.
"""

from __future__ import annotations

from rft_widgets.trainers.language.policy import LanguagePolicy, open_language_policy
from rft_widgets.trainers.language.sampling import Sampling
from rft_widgets.trainers.language.served import ServedPolicy

__all__ = ["LanguagePolicy", "Sampling", "ServedPolicy", "open_language_policy"]
