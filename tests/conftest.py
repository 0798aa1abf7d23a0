"""What every test runs under."""

import hypothesis

# New examples on every run, in CI too; no deadline, because a shared machine is not a stopwatch.
hypothesis.settings.register_profile("expediter", deadline=None, derandomize=False, print_blob=True)
hypothesis.settings.load_profile("expediter")
