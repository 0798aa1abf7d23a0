"""The tables of expediter.aws.stores.tables, on demand and recoverable to any second of the last 35 days."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from expediter.aws.stores.tables import TABLES, Table
from infra.stages import Stage


class Store(Construct):
    """``tables`` by their name in TABLES."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Store")
        self.tables = {str(table.name): self._table(table, stage) for table in TABLES}

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
