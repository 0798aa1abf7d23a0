"""``make demo``: real baskets through a server of their own, with providers that misbehave, and then the reckoning."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo import audit
from demo.baskets import Basket, PanelMissing, baskets
from demo.picture import Sample, picture
from demo.play import Played, play
from demo.processes import DidNotStart, Stage, Trouble, stage

#: Seconds in which a customer may cancel; so short only here.
HOLD = 1
#: Where the picture of the last run is.
PICTURE = Path(__file__).parent.parent / "build/demo.svg"


def main() -> int:
    """0 when everything adds up, 1 when something does not, 2 when it could not begin."""
    given = _options().parse_args()
    screen = Console()
    try:
        screen.print("Reading baskets of the public Complete Journey grocery panel.")
        orders = baskets(given.orders)
        days = (orders[-1].at - orders[0].at) / 86_400
        seconds = duration(orders, given)
        screen.print(f"{len(orders)} orders of prepared food, {days:.1f} days of them, within {seconds:g} seconds.")
        with (
            tempfile.TemporaryDirectory(prefix="expediter-demo-") as folder,
            stage(Path(folder), HOLD, Trouble()) as on,
        ):
            return _perform(screen, on, orders, seconds)
    except (PanelMissing, DidNotStart) as error:
        screen.print(str(error), markup=False)
        return 2


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="Real baskets through a server of their own.")
    parser.add_argument("--orders", type=int, default=2_400, help="how many")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--seconds", type=float, default=25.0, help="in which they come in (25)")
    pace.add_argument("--speed", type=_above_zero, help="how many times faster than they were bought they come in")
    return parser


def _above_zero(text: str) -> float:
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError("give a number above 0, such as 3600: an hour of the panel in a second")
    return speed


def duration(orders: list[Basket], given: argparse.Namespace) -> float:
    """Seconds in which the orders come in."""
    span = orders[-1].at - orders[0].at
    return round(span / given.speed, 1) if given.speed else float(given.seconds)


def _perform(screen: Console, on: Stage, orders: list[Basket], seconds: float) -> int:
    samples: list[Sample] = []
    played, in_time = asyncio.run(_play(screen, on, orders, seconds, samples))
    found = audit.summary(on, played)
    wrong = [
        *found.wrong,
        *([] if in_time else [f"not everything ended within {audit.PATIENCE:g} seconds of the last accept"]),
    ]
    screen.print(_table(found, played))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(samples, played.accepts, found.finished))
    screen.print(f"\nThe run as a picture: {PICTURE}", markup=False, soft_wrap=True)
    screen.print(f"\n$ expediter reconcile --against {on.bank}", markup=False)
    clean = _reconciled(on)
    for line in wrong:
        screen.print(f"WRONG: {line}", markup=False)
    screen.print("\nEverything adds up." if clean and not wrong else "\nSomething does not add up.")
    return 0 if clean and not wrong else 1


async def _play(
    screen: Console, on: Stage, orders: list[Basket], seconds: float, samples: list[Sample]
) -> tuple[Played, bool]:
    """What was placed, and whether all of it ended in time; what was seen meanwhile goes to ``samples``."""
    begun = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as bar:
        accepted = bar.add_task("Accepted", total=len(orders))
        ended = bar.add_task("Ended   ", total=len(orders))

        def seen(counts: dict[str, int]) -> None:
            samples.append(Sample(time.monotonic() - begun, counts))
            bar.update(ended, completed=audit.over(counts))

        watch = asyncio.create_task(audit.ended(on, len(orders), seen, seconds + audit.PATIENCE), name="watch")
        played = await play(on.server, orders, seconds, lambda: bar.advance(accepted))
        return played, await watch


def _reconciled(on: Stage) -> bool:
    words = ["-m", "expediter", "reconcile", "--against", on.bank, "--data", str(on.data)]
    return subprocess.run([sys.executable, *words], check=False).returncode == 0


def _table(found: audit.Summary, played: Played) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, title="\nWhat became of them", title_justify="left")
    rows = [("accepted over REST", len(played.rest)), ("accepted over GraphQL", len(played.graphql))]
    rows += [("sent twice", len(played.twice)), ("cancelled in the hold", len(played.cancelled))]
    rows += [(f"orders {status}", count) for status, count in sorted(found.statuses.items())]
    rows += [("charges", found.charges), ("refunds", found.refunds)]
    rows += [("mails sent", found.sent), ("mails recorded by their server", found.recorded)]
    rows += [("different mails among them", found.distinct)]
    for name, count in rows:
        table.add_row(name, str(count))
    took = sorted(one.milliseconds for one in found.finished)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        table.add_row(f"accept to end, {name}", f"{audit.percentile(took, share) / 1000:.2f} s")
    return table


if __name__ == "__main__":
    sys.exit(main())
