"""``make crash``: kills the server at every named point and at random moments, then looks for anything lost.

python -m tests.crash [--share 0.1] [--seed N] [--keep FOLDER]
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.audit import CHECKS, summary
from tests.crash.campaign import Campaign, Plan, campaign
from tests.crash.points import COMMIT_POINTS

FULL = Plan(
    at_commits=10, at_calls=4, at_random=40, while_starting=20, while_draining=20, orders=5_200, seconds=11 * 60
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--share", type=float, default=1.0, help="do this share of everything")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--keep", type=Path, help="an empty folder in which everything stays to be looked at")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        sys.exit(report(place, scaled(given.share), given.seed))


def scaled(share: float) -> Plan:
    numbers = {name: max(1, round(getattr(FULL, name) * share)) for name in FULL.__struct_fields__[:6]}
    return Plan(**numbers, seconds=FULL.seconds)


def report(folder: Path, plan: Plan, seed: int) -> int:
    """Runs the plan and prints what was hit and found; 0 when nothing was lost and every point was hit often enough."""
    print(f"seed {seed}")
    began = time.monotonic()
    with campaign(folder, plan, seed) as running:
        found = running.run(_progress)
    print(f"\n\n{running.kills} kills in {time.monotonic() - began:.0f} s. What they hit:\n")
    for what, times in sorted(running.hits.items()):
        print(f"  {times:4}  {'#' * times} {what}")
    starts = sorted(running.starts)
    print(f"\nstart        {starts[len(starts) // 2]:.2f} s in the middle of {len(starts)}, {starts[-1]:.2f} s at most")
    print("\n".join(summary(found)), end="\n\n")
    failures = 0
    for sentence, check in CHECKS.items():
        problems = list(check(found))
        failures += len(problems)
        print(f"  {'no ' if problems else 'yes'} {sentence}", *problems[:20], sep="\n        ")
    return int(bool(failures) or _too_few(running, plan))


def _too_few(running: Campaign, plan: Plan) -> bool:
    """Whether the plan was not reached."""
    missed = [str(point) for point in COMMIT_POINTS if running.hits[str(point)] < plan.at_commits]
    if missed or len(running.customers.orders) < plan.orders:
        print(f"  no  the plan was reached: {len(running.customers.orders)} orders; too seldom {', '.join(missed)}")
        return True
    return False


def _progress(done: int, of: int) -> None:
    end = "\n" if not sys.stdout.isatty() else "\r"
    if sys.stdout.isatty() or done % 20 == 0:
        print(f"  life {done} of {of}", end=end, flush=True)


if __name__ == "__main__":
    main()
