"""What cfn-lint says of a template of ours."""

import subprocess
import sys
from pathlib import Path

#: W3005 is about a DependsOn that a reference says already: the CDK writes them, and they do no harm.
#: E3601 does not read DefinitionSubstitutions, so it refuses ``arn:${Partition}:…`` as a Resource. AWS's own validator
#: reads the definition in tests/workflow.
IGNORED = ("W3005", "E3601")


def findings(template: Path) -> str:
    """The text of what it finds; empty for nothing."""
    command = [str(Path(sys.executable).parent / "cfn-lint"), "-i", *IGNORED, "-t", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or (done.stderr if done.returncode else "")
