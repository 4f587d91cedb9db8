"""A grader as the AWS Lambda function that Amazon Bedrock and SageMaker ask for rewards."""

from __future__ import annotations

from rft_widgets.graders.compile.target import Target, adapter

TARGET = Target(
    name="bedrock",
    title="Amazon Bedrock",
    entry="lambda_function.py",
    carries="message",
    usage="""\
The handler is `lambda_function.lambda_handler`, on Python 3.11 or later. Put the packages of
`requirements.txt` beside it, for Lambda's machine, and zip the folder:

    pip install -r requirements.txt --target . --only-binary=:all: --implementation cp \\
        --python-version 3.12 --platform manylinux2014_x86_64
    zip -qr ../grader.zip .

A training row holds `messages` and the record's item fields (and `tools`) beside them: Bedrock
hands these over as `metadata`, SageMaker beside the messages; both are read. A reward is a number
there: a grading that failed is 0, and its metric `grading_failed` is 1.""",
    adapter=adapter(
        "Rewards for Amazon Bedrock and SageMaker: `lambda_function.lambda_handler`.",
        '''
OWN = ("id", "messages", "metadata")


def lambda_handler(event, context):
    """Grade a batch: a list of answers in, a list of rewards (0..1) out, in the same order."""
    graded = GRADER.grade_many(map(read, event))
    return [written(one["id"], result) for one, result in zip(event, graded, strict=True)]


def read(one):
    """The answer, which is the last message of the assistant, and the item."""
    *prompt, last = one["messages"] or [{}]
    if last.get("role") != "assistant":
        prompt, last = one["messages"], None
    beside = {key: value for key, value in one.items() if key not in OWN}
    return last, {**beside, **(one.get("metadata") or {}), "messages": prompt}


def written(id, graded):
    """The reward as the service reads it, with what each part gave."""
    metrics = [("reward", graded.reward, "Reward")]
    metrics += [(name, reward, "Metric") for name, reward in graded.parts.items()]
    metrics.append(("grading_failed", float(graded.reward is None), "Metric"))
    return {
        "id": id,
        "aggregate_reward_score": graded.reward or 0.0,
        "metrics_list": [
            {"name": name, "value": value or 0.0, "type": kind} for name, value, kind in metrics
        ],
    }
''',
    ),
)
