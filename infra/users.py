"""The callers: customers and operators in one user pool (a group for each role), and programs.

People have one public client (no secret to leak). A program has a client of its own with a secret, and the scopes that
it was made with.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html
"""

from aws_cdk import CfnCondition, Fn, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambdas
from constructs import Construct

from expediter.api.access import RESOURCE
from expediter.app.access import GROUPS, Scope
from infra.stages import Stage


class Users(Construct):
    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Users")
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=True,
            # The lowest plan in which a function can add claims to access tokens; also what new pools have.
            feature_plan=cognito.FeaturePlan.ESSENTIALS,
            sign_in_aliases=cognito.SignInAliases(email=True),
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_digits=True, require_lowercase=True, require_symbols=True, require_uppercase=True
            ),
            deletion_protection=stage.protected,
            removal_policy=stage.removal,
        )
        self.client = self.pool.add_client(
            "Client",
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
        )
        for group, role in GROUPS.items():
            cognito.CfnUserPoolGroup(
                self,
                f"{group.title().replace('-', '')}Group",
                user_pool_id=self.pool.user_pool_id,
                group_name=group,
                description=f"Operators with the role {role}.",
            )
        self._programs(stage)

    def add_addresses(self, function: lambdas.IFunction) -> None:
        """Has the function add a user's verified address to his access tokens (events of version 2)."""
        self.pool.add_trigger(
            cognito.UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, function, cognito.LambdaVersion.V2_0
        )

    def mail_by_ses(self, sender: str) -> None:
        """Where there is a sender, SES sends codes and invitations: Cognito's own mailer sends 50 mails a day.

        https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-email.html
        """
        made = self.pool.node.default_child
        if not isinstance(made, cognito.CfnUserPool):
            raise TypeError("aws_cognito.UserPool is not made of a CfnUserPool any more")
        there = CfnCondition(self, "HasSender", expression=Fn.condition_not(Fn.condition_equals(sender, "")))
        identity = Stack.of(self).format_arn(service="ses", resource="identity", resource_name=sender)
        by_ses = {"EmailSendingAccount": "DEVELOPER", "From": sender, "SourceArn": identity}
        by_cognito = {"EmailSendingAccount": "COGNITO_DEFAULT"}
        made.add_property_override("EmailConfiguration", Fn.condition_if(there.logical_id, by_ses, by_cognito))

    def _programs(self, stage: Stage) -> None:
        """The scopes, the token endpoint for programs, and one program that places and reads orders."""
        scopes = {
            scope: cognito.ResourceServerScope(scope_name=scope, scope_description=f"Expediter: {scope}")
            for scope in Scope
        }
        server = self.pool.add_resource_server(
            "Scopes", identifier=RESOURCE.removesuffix("/"), scopes=list(scopes.values())
        )
        self.domain = self.pool.add_domain(
            "Tokens",
            cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"orders-{stage.name}-{Stack.of(self).account}"),
        )
        self.program = self.pool.add_client(
            "Program",
            generate_secret=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(client_credentials=True),
                scopes=[
                    cognito.OAuthScope.resource_server(server, scopes[scope])
                    for scope in (Scope.ORDERS_READ, Scope.ORDERS_WRITE)
                ],
            ),
        )
