"""The tables of expediter.aws.stores.tables, on demand and recoverable to any second of the last 35 days.

After a restore a stage has other tables: those that ``restored-STAGE.json`` beside this file names.
scripts/restore_aws.py makes them, and writes the file.
"""

import json
from pathlib import Path

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from expediter.aws.stores.tables import TABLES, Table
from infra.stages import Stage

HERE = Path(__file__).parent


class Store(Construct):
    """``tables`` by their name in TABLES. ``folder``: where the file of a restore is, if there is one."""

    def __init__(self, scope: Construct, stage: Stage, folder: Path = HERE) -> None:
        super().__init__(scope, "Store")
        file = folder / f"restored-{stage.name}.json"
        restored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.tables: dict[str, dynamodb.ITable] = {
            str(table.name): self._restored(table, restored[table.name]) if restored else self._table(table, stage)
            for table in TABLES
        }

    def _restored(self, table: Table, found: dict[str, str]) -> dynamodb.ITable:
        return dynamodb.Table.from_table_attributes(
            self, table.name.capitalize(), table_arn=found["arn"], table_stream_arn=found.get("stream")
        )

    def _table(self, table: Table, stage: Stage) -> dynamodb.Table:
        made = dynamodb.Table(
            self,
            table.name.capitalize(),
            partition_key=_text(table.hash),
            sort_key=_text(table.range) if table.range else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if table.stream else None,
            time_to_live_attribute=table.expires,
            deletion_protection=stage.protected,
            removal_policy=stage.removal,
        )
        for index in table.indexes:
            made.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.hash),
                sort_key=_text(index.range),
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )
        return made


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
