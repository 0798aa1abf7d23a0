"""Who may call: a user pool with a group of operators, and one public client (no secret to leak)."""

from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.stages import Stage


class Users(Construct):
    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Users")
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=True,
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
        cognito.CfnUserPoolGroup(
            self,
            "OperatorsGroup",
            user_pool_id=self.pool.user_pool_id,
            group_name="operators",
            description="See and change everybody's orders, and treat dead letters.",
        )
