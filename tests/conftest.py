"""What every test runs under."""

import atexit
import os
import tempfile

import hypothesis

# New examples on every run, in CI too; no deadline, because a shared machine is not a stopwatch.
hypothesis.settings.register_profile("expediter", deadline=None, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("expediter")

# Servers and commands of the tests know each other, and no server of the user who runs them.
_state = tempfile.TemporaryDirectory(prefix="expediter-tests-")
atexit.register(_state.cleanup)
os.environ["XDG_STATE_HOME"] = _state.name
