"""Messages of the protocol of `tinker` that are no JSON, read and written with its own types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rft_widgets.testing.token_model import Example, Floats, Sampled


def examples_of(body: bytes) -> tuple[str, int, str, list[Example]]:
    """Model, number of the request, loss and examples of a request for a gradient."""
    wire = _wire()
    asked = wire.ForwardBackwardRequest()
    asked.ParseFromString(body)
    examples = []
    for datum in asked.data:
        chunks = [np.frombuffer(chunk.encoded_text.tokens, np.int32) for chunk in datum.model_input]
        found = {name: _dense(tensor) for name, tensor in datum.loss_fn_inputs.items()}
        before = np.concatenate(chunks).astype(np.int64)
        lengths = {len(before), *(len(one) for one in found.values())}
        assert len(lengths) == 1, lengths  # noqa: S101 - what a client must send
        examples.append(
            Example(
                before=before,
                targets=found["target_tokens"].astype(np.int64),
                logprobs=found["logprobs"].astype(np.float64),
                advantages=found["advantages"].astype(np.float64),
            )
        )
    return asked.model_id, asked.seq_id, asked.loss_fn, examples


def gradient_bytes(loss: float, logprobs: Sequence[Floats]) -> bytes:
    """The answer to a request for a gradient."""
    wire = _wire()
    made = wire.ForwardBackwardOutput(loss_fn_output_type="TrainLoss", metrics={"loss:sum": loss})
    values = [one.astype(np.float32) for one in logprobs]
    ends = np.cumsum([0, *(one.nbytes for one in values)])
    record = made.loss_fn_outputs.add()
    record.num_datums = len(values)
    field = record.fields["logprobs"]
    field.dtype = wire.DTYPE_FLOAT32
    field.data = b"".join(one.tobytes() for one in values)
    field.offsets = ends.astype(np.int64).tobytes()
    return bytes(made.SerializeToString())


def samples_bytes(samples: Sequence[Sampled]) -> bytes:
    """The answer to a request for samples."""
    wire = _wire()
    made = wire.SampleResponse()
    for one in samples:
        sequence = made.sequences.add()
        sequence.stop_reason = wire.STOP_REASON_STOP if one.is_ended else wire.STOP_REASON_LENGTH
        sequence.tokens = np.array(one.tokens, np.int32).tobytes()
        sequence.logprobs = np.array(one.logprobs, np.float32).tobytes()
    return bytes(made.SerializeToString())


def _dense(tensor: Any) -> np.ndarray[Any, Any]:
    kind = np.int64 if tensor.dtype == _wire().DTYPE_INT64 else np.float32
    return np.frombuffer(tensor.dense, kind)


def _wire() -> Any:
    from tinker.proto import tinker_public_pb2  # noqa: PLC0415 - heavy

    return tinker_public_pb2
