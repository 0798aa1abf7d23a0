"""How often one user and one address may call the APIs. Usage plans need keys of their own, so AWS WAF counts.

A user is counted by the access token, which lasts an hour. A user who changes tokens is limited by the address.
https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
"""

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

#: Calls a minute of one address. Many users may share an address.
ADDRESS = 6000
#: Seconds over which calls are counted.
WINDOW = 60


class Limits(Construct):
    """``apis``: the ARNs of what is guarded. ``user``: calls a minute of one access token."""

    def __init__(self, scope: Construct, *, apis: dict[str, str], user: float) -> None:
        super().__init__(scope, "Limits")
        plain = wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
        token = wafv2.CfnWebACL.RateLimitHeaderProperty(name="authorization", text_transformations=[plain])
        key = wafv2.CfnWebACL.RateBasedStatementCustomKeyProperty(header=token)
        by_user = wafv2.CfnWebACL.RateBasedStatementProperty(
            limit=user, evaluation_window_sec=WINDOW, aggregate_key_type="CUSTOM_KEYS", custom_keys=[key]
        )
        by_address = wafv2.CfnWebACL.RateBasedStatementProperty(
            limit=ADDRESS, evaluation_window_sec=WINDOW, aggregate_key_type="IP"
        )
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_figures("Orders"),
            rules=[_rule(0, "User", by_user), _rule(1, "Address", by_address)],
        )
        for name, arn in apis.items():
            wafv2.CfnWebACLAssociation(self, name, resource_arn=arn, web_acl_arn=acl.attr_arn)


def _rule(
    priority: int, name: str, statement: wafv2.CfnWebACL.RateBasedStatementProperty
) -> wafv2.CfnWebACL.RuleProperty:
    """A caller above the limit gets 429 for a minute."""
    header = wafv2.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value=str(WINDOW))
    answer = wafv2.CfnWebACL.CustomResponseProperty(response_code=429, response_headers=[header])
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=statement),
        action=wafv2.CfnWebACL.RuleActionProperty(block=wafv2.CfnWebACL.BlockActionProperty(custom_response=answer)),
        visibility_config=_figures(name),
    )


def _figures(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Counts requests and stores nothing of them, because they hold the token."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
