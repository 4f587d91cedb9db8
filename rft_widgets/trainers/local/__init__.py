"""The trainer ``local``: a retrieval policy, trained on this computer by policy gradient.

It answers with what the system has already said, chosen by what the grader rewarded. It writes
nothing of its own.
"""

from rft_widgets.trainers.local.artifact import LocalPolicy, PolicyAnswer, load_policy
from rft_widgets.trainers.local.train import train

__all__ = ["LocalPolicy", "PolicyAnswer", "load_policy", "train"]
