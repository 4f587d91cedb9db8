import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real traces and other data, which lies beside the repository."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("RFT_WIDGETS_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set RFT_WIDGETS_DATA to its folder")
    return folder
