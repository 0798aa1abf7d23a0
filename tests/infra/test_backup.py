"""Copies of the tables in another account, where the settings name a vault there; and the tables of a restore."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from expediter.aws.stores.tables import TABLES
from infra.backup import VaultRefused, vault
from infra.stages import STAGES
from infra.store import Store
from tests.infra.made import Made
from tests.infra.reading import get, named, only, resources

THERE = "arn:aws:backup:eu-west-1:210987654321:backup-vault:orders"


@pytest.fixture(scope="module")
def copied(made: Made) -> Any:
    return made.read(BACKUP_VAULT=THERE)


def test_without_the_setting_there_is_no_vault(template: Any) -> None:
    assert not any(it["Type"].startswith("AWS::Backup::") for it in template["Resources"].values())


def test_every_table_is_copied_each_night_into_both_vaults(copied: Any) -> None:
    selection = only(copied, "AWS::Backup::BackupSelection")["BackupSelection"]
    tables = [get(key) for key in resources(copied, "AWS::DynamoDB::Table")]
    assert (sorted(map(str, selection["Resources"])), len(tables)) == (sorted(map(str, tables)), len(TABLES))
    (rule,) = only(copied, "AWS::Backup::BackupPlan")["BackupPlan"]["BackupPlanRule"]
    here = get(named(copied, "AWS::Backup::BackupVault", "BackupHere")[0], "BackupVaultName")
    assert (rule["TargetBackupVault"], rule["ScheduleExpression"]) == (here, "cron(0 3 * * ? *)")
    assert rule["Lifecycle"] == {"DeleteAfterDays": 35}
    assert rule["CopyActions"] == [{"DestinationBackupVaultArn": THERE, "Lifecycle": {"DeleteAfterDays": 35}}]


@pytest.mark.parametrize("arn", ["orders", "arn:aws:backup:eu-west-1:2109:backup-vault:orders", f"{THERE}/x"])
def test_what_is_no_vault_is_refused(arn: str) -> None:
    with pytest.raises(VaultRefused, match="is not the ARN of a vault"):
        vault({"BACKUP_VAULT": arn})


def test_after_a_restore_the_stack_uses_the_tables_that_were_made(tmp_path: Path) -> None:
    arns = {table.name: f"arn:aws:dynamodb:eu-west-1:123456789012:table/{table.name}-then" for table in TABLES}
    streams = {table.name: f"{arns[table.name]}/stream/now" for table in TABLES if table.stream}
    found = {name: {"arn": arn, **({"stream": streams[name]} if name in streams else {})} for name, arn in arns.items()}
    (tmp_path / "restored-dev.json").write_text(json.dumps(found))
    stack = cdk.Stack(cdk.App())
    store = Store(stack, STAGES["dev"], tmp_path)
    assert {name: table.table_name for name, table in store.tables.items()} == {it: f"{it}-then" for it in arns}
    assert {name: table.table_stream_arn for name, table in store.tables.items() if table.table_stream_arn} == streams
