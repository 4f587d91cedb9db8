"""What the stand-in answers: small scripts that look at the form of a request, not its wording.

They are honest about what they are: rules over the words of the request. `DEFAULT` are tried in
turn; the first that does not pass answers.
"""

from __future__ import annotations

from typing import Final

from rft_widgets.testing.chat import Script
from rft_widgets.testing.scripts.judging import judge
from rft_widgets.testing.scripts.numbered import numbered
from rft_widgets.testing.scripts.structured import structured
from rft_widgets.testing.scripts.support import support, tool_user
from rft_widgets.testing.scripts.writing import writer

DEFAULT: Final[tuple[Script, ...]] = (judge, numbered, writer, structured, tool_user, support)
