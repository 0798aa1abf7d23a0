"""The console's static files, read once. Their addresses change with their content, so browsers may cache them for
ever.
"""

import gzip
import hashlib
from importlib import resources
from typing import NamedTuple

#: The path under which they are served.
PREFIX = "/console/static/"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class Asset(NamedTuple):
    type: str
    body: bytes
    packed: bytes
    version: str


def assets() -> dict[str, Asset]:
    """Every file by its name."""
    folder = resources.files("expediter.console") / "static"
    return {entry.name: _asset(entry.name, entry.read_bytes()) for entry in folder.iterdir() if "." in entry.name}


def _asset(name: str, body: bytes) -> Asset:
    kind = _TYPES[name.rpartition(".")[2]]
    return Asset(kind, body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:10])
