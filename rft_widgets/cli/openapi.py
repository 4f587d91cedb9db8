"""The description of the REST API."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from rft_widgets.server.rest import openapi as document
from rft_widgets.steps.export import replacing


def openapi(options: argparse.Namespace) -> None:
    """Print the OpenAPI document, or write it to a file."""
    text = msgspec.json.format(msgspec.json.encode(document()), indent=2).decode()
    if options.out is None:
        print(text)
        return
    with replacing(options.out) as target:
        Path(target).write_text(text + "\n", encoding="utf-8")
