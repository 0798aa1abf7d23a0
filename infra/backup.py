"""AWS Backup, where the settings name a vault of another account: the tables every night, here and there.

Point-in-time recovery ends with the account; this does not. Organizations has to allow copies between the two accounts,
and the other vault's policy to take them.
https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
"""

import re
from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.store import Store

#: Days that a night's backup is kept, in both vaults.
KEPT = 35


class VaultRefused(Exception):
    """BACKUP_VAULT is no ARN of a vault."""


def vault(settings: Mapping[str, str]) -> str:
    """What BACKUP_VAULT says; empty: no backups. Raises VaultRefused."""
    arn = settings.get("BACKUP_VAULT", "")
    if arn and not re.fullmatch(r"arn:aws[a-z-]*:backup:[a-z0-9-]+:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}", arn):
        raise VaultRefused(
            f"BACKUP_VAULT={arn!r} is not the ARN of a vault: arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME."
        )
    return arn


class Backup(Construct):
    """``copy``: the ARN of the other account's vault."""

    def __init__(self, scope: Construct, store: Store, *, copy: str) -> None:
        super().__init__(scope, "Backup")
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("backup.amazonaws.com"))
        there = backup.BackupVault.from_backup_vault_arn(self, "There", copy)
        rule = backup.BackupPlanRule(
            schedule_expression=events.Schedule.cron(hour="3", minute="0"),
            delete_after=Duration.days(KEPT),
            copy_actions=[
                backup.BackupPlanCopyActionProps(destination_backup_vault=there, delete_after=Duration.days(KEPT))
            ],
        )
        plan = backup.BackupPlan(
            self, "Nightly", backup_vault=backup.BackupVault(self, "Here"), backup_plan_rules=[rule]
        )
        plan.add_selection(
            "Tables",
            role=self.role,
            resources=[backup.BackupResource.from_arn(table.table_arn) for table in store.tables.values()],
        )
