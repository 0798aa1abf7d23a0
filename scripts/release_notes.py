"""Print what a release says of itself, its section of ``CHANGELOG.md``: ``python scripts/release_notes.py v0.1.0``.

Ends with 1, and makes no release, when the tag is not the version of the code or the section has no date.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def notes(tag: str, code: str, changelog: str) -> str:
    """The text of the section of ``tag`` (``v`` and a version), without its heading.

    ``code`` is the text of the package's ``__init__.py``. Raises ``ValueError``, which says what to do.
    """
    said = VERSION.search(code)
    version = said.group(1) if said else ""
    if tag != f"v{version}":
        raise ValueError(
            f"The tag is {tag}, but the code is version {version}: tag it v{version}, or change the version"
        )
    section = re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if section is None:
        raise ValueError(f"CHANGELOG.md has no dated section: write `## [{version}] - YYYY-MM-DD` above what is new")
    if not section.group(1).strip():
        raise ValueError(f"The section of {version} in CHANGELOG.md is empty: write what is new")
    return section.group(1).strip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Print a release's section of CHANGELOG.md.")
    parser.add_argument("tag", help="the tag of the release, for example v0.1.0")
    tag = parser.parse_args().tag
    code = (ROOT / "src/expediter/__init__.py").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    try:
        sys.stdout.write(notes(tag, code, changelog))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
