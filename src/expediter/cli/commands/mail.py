"""``expediter mail``: mails of a stack on AWS. The console has those of a server."""

from typing import Annotated

import typer

from expediter.cli.terms import on_aws

app = typer.Typer(no_args_is_help=True, help="Mails about orders of a stack on AWS; the console has a server's.")


@app.command()
def resend(
    order_id: Annotated[str, typer.Argument(metavar="ORDER", help="The order's id")],
    stack: Annotated[str, typer.Option(metavar="NAME", help="The name of the stack")],
) -> None:
    """Have an order's unsent mails sent, refused ones too: the next sweep takes them, within 15 minutes."""
    with on_aws("deployed") as deployed:
        number = deployed.resend(stack, order_id)
    print(f"{number} mails of the order {order_id} are sent by the next sweep.")
