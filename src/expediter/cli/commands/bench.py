"""``expediter bench``: the measurements. They are in a checkout, and not in the package."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from expediter.cli.terms import AsJson, stop

CHECKOUT = Path(__file__).parents[4]


def bench(
    rounds: Annotated[int, typer.Option(min=1, help="Times that everything is measured")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds of one measurement under load")] = 3.0,
    only: Annotated[str, typer.Option(help="Only these measurements, with commas between them")] = "",
    as_json: AsJson = False,
) -> None:
    """Measure the order path, its floor and the peers that are installed (fifteen minutes).

    Only in a checkout, as by make bench: what is measured beside Expediter is no part of the package.
    """
    if not (CHECKOUT / "bench/__main__.py").exists():
        stop("The measurements are in a checkout of Expediter, not in the installed package. There, run: make bench")
    given = ["--rounds", str(rounds), "--seconds", str(seconds), "--only", only, *(["--json"] if as_json else [])]
    done = subprocess.run([sys.executable, "-m", "bench", *given], cwd=CHECKOUT, check=False)  # noqa: S603  # our own words and numbers
    raise typer.Exit(done.returncode)
