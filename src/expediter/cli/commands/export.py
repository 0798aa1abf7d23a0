"""``expediter export`` and ``expediter import``: carry what ended on one machine to AWS. Orders in flight end first."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from expediter.cli.terms import AsJson, Data, counted, on_aws, stop


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the orders, one JSON object a line")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write every order with its ledger and its key to a file; refused while orders are under way.

    FILE appears, or is replaced, when everything is in it.
    """
    from expediter.app.operator.export import StillBusy, encode
    from expediter.cli import show
    from expediter.cli.finding import folder
    from expediter.embedded.operator.export import exported_orders
    from expediter.embedded.sqlite.database import DataRefused
    from expediter.embedded.sqlite.files import make_private

    count, part = 0, file.with_name(f"{file.name}.part")
    try:
        with make_private(part).open("wb") as out:
            for one in exported_orders(folder(data)):
                out.write(encode(one) + b"\n")
                count += 1
    except (DataRefused, StillBusy) as error:
        part.unlink(missing_ok=True)
        stop(str(error), 1)
    part.replace(file)
    if as_json:
        show.as_json({"file": str(file), "orders": count})
    else:
        print(f"{counted(count, 'order')} written to {file}")


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, help="What expediter export wrote")],
    to: Annotated[Literal["aws"], typer.Option(help="The home to carry them to")] = "aws",  # noqa: ARG001  # the only one
    stack: Annotated[str, typer.Option(help="The name of the stack")] = "Orders-dev",
    as_json: AsJson = False,
) -> None:
    """Carry the orders of a file to another home; safe to run again, also after it was interrupted."""
    from expediter.app.operator.export import decode
    from expediter.cli import show
    from expediter.cli.files import lines_of
    from expediter.domain.errors import OrderError

    new, known = 0, 0
    with on_aws("importer") as aws, lines_of(file) as lines:
        importer = aws.importer_of(stack)
        for number, line in enumerate(lines, 1):
            try:
                added = importer.add(decode(line))
            except (OrderError, ValueError) as error:
                stop(f"line {number}: {type(error).__name__}: {error}", 1)
            new, known = new + added, known + (not added)
    if as_json:
        show.as_json({"carried": new, "known": known})
    else:
        print(f"{counted(new, 'order')} carried over, {known} already there")
