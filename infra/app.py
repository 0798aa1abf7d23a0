"""The CDK application: `python -m infra.app` writes the templates of one stage; deploying them is the CDK's task.

STAGE (dev or prod) or the context ``stage`` chooses; ALLOWED_ORIGIN names the origin whose pages may call the API;
SUBNETS and SECURITY_GROUPS put the functions into a network of the account's; BACKUP_VAULT is another account's;
RELEASE=at-once has a release go live at once, whatever the alarms say: for a release that ends what they ring for.
Nothing here asks AWS or the network anything.
"""

import json
import os
from pathlib import Path

import aws_cdk as cdk

from infra.api import cors
from infra.backup import vault
from infra.bundle import bundle
from infra.checks import acknowledge, check
from infra.compute import grants
from infra.compute.network import network
from infra.stack import Orders
from infra.stages import STAGES

HERE = Path(__file__).parent


def application(stage: str | None = None, outdir: Path | None = None, code: Path | None = None) -> cdk.App:
    """The application of one stage; ``outdir`` is where it writes, ``code`` the functions' bundle if there is one.

    Raises KeyError for an unknown stage, OriginRefused, NetworkRefused and VaultRefused.
    """
    context = json.loads((HERE / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(context=context, outdir=str(outdir) if outdir else None, analytics_reporting=False)
    chosen = STAGES[stage or os.environ.get("STAGE") or app.node.try_get_context("stage") or "dev"]
    chosen = chosen._replace(network=network(os.environ), vault=vault(os.environ))
    chosen = chosen._replace(origin=cors.origin(os.environ.get("ALLOWED_ORIGIN", "")))
    chosen = chosen._replace(canary=chosen.canary and os.environ.get("RELEASE") != "at-once")
    grants.check()
    stack = Orders(app, chosen, code or bundle(HERE.parent / "build/lambda"))
    cdk.Tags.of(app).add("application", "expediter")
    cdk.Tags.of(app).add("stage", chosen.name)
    acknowledge(stack)
    check(app)
    return app


if __name__ == "__main__":
    application().synth()
