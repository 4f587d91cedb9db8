"""``python -m rft_widgets``: the command line without the script."""

import sys

from rft_widgets.cli import main

sys.exit(main())
