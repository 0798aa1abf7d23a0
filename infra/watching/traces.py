"""Which calls X-Ray traces: 5 % of those that come in by an API, and of the orders.

X-Ray's default rule would trace one more a second: every order of a small shop, and each trace costs money.
https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
"""

from aws_cdk import aws_xray as xray
from constructs import Construct

from infra.stages import Stage

SHARE = 0.05
#: Rules of lower numbers are looked at first; X-Ray's own comes last, at 10,000.
FIRST = 1000


class Traces(Construct):
    """``machine``: the name of the state machine."""

    def __init__(self, scope: Construct, stage: Stage, *, machine: str) -> None:
        super().__init__(scope, "Traces")
        api = f"orders-{stage.name}"
        traced = {
            "Orders": ("AWS::StepFunctions::StateMachine", machine),
            "Rest": ("AWS::ApiGateway::Stage", f"{api}/{stage.name}"),
            "Graphql": ("AWS::AppSync::GraphQLAPI", api),
        }
        for place, (name, (kind, service)) in enumerate(traced.items()):
            rule = xray.CfnSamplingRule.SamplingRuleProperty(
                rule_name=f"{api}-{name}",
                priority=FIRST + place,
                fixed_rate=SHARE,
                reservoir_size=0,
                service_name=service,
                service_type=kind,
                host="*",
                http_method="*",
                url_path="*",
                resource_arn="*",
                version=1,
            )
            xray.CfnSamplingRule(self, name, sampling_rule=rule)
