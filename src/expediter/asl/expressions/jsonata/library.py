"""The library jsonata-python, loaded in this place only.

It raises the process's limit of recursion when it is loaded. Only the process may decide that, so the limit is
restored; ``limits.recursion`` raises it for as long as an expression is read or evaluated.
"""

import sys

_before = sys.getrecursionlimit()

from jsonata import jexception, parser, utils  # noqa: E402
from jsonata.functions import Functions  # noqa: E402
from jsonata.jsonata import Jsonata  # noqa: E402
from jsonata.regex_engine import RegexFlags  # noqa: E402

sys.setrecursionlimit(_before)

__all__ = ["Functions", "Jsonata", "RegexFlags", "jexception", "parser", "utils"]
