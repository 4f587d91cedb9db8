"""The dataset's grader as an evaluator of Fireworks."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from rft_widgets.errors import RftError
from rft_widgets.graders.compile import write_grader
from rft_widgets.model.grader import Grader
from rft_widgets.trainers.fireworks import service
from rft_widgets.trainers.fireworks.service import Account, CallRefused
from rft_widgets.trainers.hosted import ServiceUnreachable

NAME = "grader"
_FOLDER = "evaluator"
_EVAL_PROTOCOL = "eval-protocol>=0.3"


class Evaluator(Struct, frozen=True, kw_only=True):
    """What is sent: the folder, packed, and where its function is."""

    folder: Path
    archive: bytes
    entry_point: str
    warnings: tuple[str, ...]


def write_evaluator(grader: Grader, folder: Path) -> Evaluator:
    """Write a grader as Fireworks runs it, and pack it."""
    made = write_grader(grader, folder / _FOLDER, target="eval-protocol", name=NAME)
    needs = made.folder / "requirements.txt"
    lines = needs.read_text("utf-8").splitlines()
    if _EVAL_PROTOCOL not in lines:
        needs.write_text("\n".join([*lines, _EVAL_PROTOCOL]) + "\n", "utf-8")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path in made.files:
            tar.add(made.folder / path, arcname=f"{_FOLDER}/{path}")
    return Evaluator(
        folder=made.folder,
        archive=packed.getvalue(),
        entry_point=f"{made.entry.name}::test_{NAME}",
        warnings=made.warnings,
    )


def ensure_evaluator(
    account: Account,
    identity: str,
    write: Callable[[], Evaluator] | None,
    log: Callable[[str], None],
) -> None:
    """Have an evaluator ready; it is made and sent unless it is there.

    Parameters
    ----------
    account
        Where.
    identity
        What it is called.
    write
        Makes what is sent; ``None`` for an evaluator that has to be there.
    log
        Told what was done.

    Raises
    ------
    ServiceUnreachable
        It is being built, and has to be looked at again.
    RftError
        It is not there, or could not be built.
    """
    found = account.find(lambda client: client.evaluators.get(identity))
    if found is None and write is None:
        raise RftError(
            f"The account {account.account} has no evaluator {identity!r}.",
            hint="Leave settings['evaluator'] empty to have one made.",
        )
    if found is not None and found.state == "ACTIVE":
        return
    if found is not None and found.state == "BUILD_FAILED":
        words = (found.status.message if found.status else None) or "It does not say why."
        raise RftError(
            f"Fireworks could not build the evaluator {identity}. {words}",
            hint="Its build log is in the dashboard.",
        )
    if found is not None and found.state == "BUILDING":
        raise ServiceUnreachable(
            f"Fireworks is still building the evaluator {identity}.", retry_after_s=service.LOOK_S
        )
    if write is None:
        raise RftError(f"The evaluator {identity} is not ready: it is {found.state}.")
    _send(account, identity, write(), log)
    raise ServiceUnreachable(
        f"Fireworks is building the evaluator {identity}.", retry_after_s=service.LOOK_S
    )


def _send(account: Account, identity: str, made: Evaluator, log: Callable[[str], None]) -> None:
    about = {
        "display_name": identity,
        "description": "A grader of rft-widgets.",
        "entry_point": made.entry_point,
    }
    try:
        account.call(
            lambda client: client.evaluators.create(evaluator_id=identity, evaluator=about)
        )
    except CallRefused as refused:
        if refused.status != 409:  # made before, and nothing was sent then
            raise
    name = f"{identity}.tar.gz"
    size = {name: str(len(made.archive))}
    found = account.call(
        lambda client: client.evaluators.get_upload_endpoint(identity, filename_to_size=size)
    )
    url = (found.filename_to_signed_urls or {}).get(name)
    if not url:
        raise RftError("Fireworks did not say where the evaluator is to be sent.")
    account.put(url, made.archive)
    account.call(lambda client: client.evaluators.validate_upload(identity, body={}))
    log(f"Sent the grader as evaluator {identity} ({len(made.archive):,} bytes).")
    for warning in made.warnings:
        log(warning)
