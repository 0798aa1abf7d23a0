"""Sends the outbox's mails: those to operators by SNS (a topic whose subscribers filter), those to customers by SES.

Both send at least once: a repeat after a lost answer is a second mail. A row is marked once its mail is sent or refused
for good. A marked mail is not sent again, because it would hold up the others. Operators get an alert for a mail that
is refused for good. A row leaves the sparse index ``unsent`` when nothing is left to do with it.
"""

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expediter.app.mails import alert_mails
from expediter.app.ports import Mail, OrderSettings
from expediter.aws.failures import code
from expediter.aws.settings import OPERATORS
from expediter.aws.stores.items import DynamoItem
from expediter.domain.alert import Alert
from expediter.domain.order import Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sesv2.client import SESV2Client
    from mypy_boto3_sns.client import SNSClient


_log = logging.getLogger("expediter.mailer")
#: SES's errors for a mail that it will never send: the address is invalid, the content is refused, or an address is not
#: verified in the sandbox. After any other error the mail is tried again: too many mails, or sending is paused.
#: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
_FOR_GOOD = frozenset({"BadRequestException", "MessageRejected", "MailFromDomainNotVerifiedException"})


class MailRefused(Exception):
    """The mail service will never send this mail. Correct the address with the customer."""


class Mailer:
    """``sender`` empty: mails to customers stay in the outbox."""

    def __init__(
        self,
        *,
        tables: "DynamoDBClient",
        table: str,
        sns: "SNSClient",
        topic: str,
        ses: "SESV2Client",
        sender: str,
    ) -> None:
        self._tables = tables
        self._table = table
        self._sns = sns
        self._topic = topic
        self._ses = ses
        self._sender = sender

    def deliver(self, key: DynamoItem, now: int) -> None:
        """Sends the mail in the row with this key, unless it is sent already. Raises AWS's error if it cannot."""
        row = self._tables.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        if not row:
            return
        if row.keys() & {"sent_at", "refused_at"}:
            self._done(key)
            return
        try:
            mark = "sent_at" if self._send(_mail(row), row["restaurant_id"]["S"]) else None
        except MailRefused:
            mark = "refused_at"
            self._tell_operators(row, now)
        self._done(key, mark, now)

    def _done(self, key: DynamoItem, mark: str | None = None, now: int = 0) -> None:
        """Removes the row from the index ``unsent``."""
        if mark is None:
            self._tables.update_item(TableName=self._table, Key=key, UpdateExpression="REMOVE unsent")
            return
        self._tables.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression=f"SET {mark} = :now REMOVE unsent",
            ExpressionAttributeValues={":now": {"N": str(now)}},
        )

    def _send(self, mail: Mail, restaurant_id: str) -> bool:
        if mail.recipient == OPERATORS:
            attributes = {"status": mail.status.value, "restaurant": restaurant_id}
            self._sns.publish(
                TopicArn=self._topic,
                Subject=mail.subject,
                Message=mail.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        elif self._sender:
            self._to_customer(mail)
        else:
            return False
        return True

    def _tell_operators(self, row: DynamoItem, now: int) -> None:
        """Alerts operators of a mail that was refused for good, in the words that the server uses."""
        for alert in alert_mails(row["order_id"]["S"], Alert.MAIL_GIVEN_UP, now, OrderSettings(notify=(OPERATORS,))):
            self._sns.publish(TopicArn=self._topic, Subject=alert.subject, Message=alert.text)

    def _to_customer(self, mail: Mail) -> None:
        content = {"Subject": {"Data": mail.subject}, "Body": {"Text": {"Data": mail.text, "Charset": "UTF-8"}}}
        try:
            self._ses.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.recipient]},
                Content={"Simple": content},  # type: ignore[typeddict-item]  # the literal's inner keys are checked by AWS
            )
        except ClientError as error:
            if code(error) in _FOR_GOOD:
                _log.warning("the mail of order %s is refused for good: %s", mail.order_id, code(error))
                raise MailRefused from error
            raise


def _mail(row: DynamoItem) -> Mail:
    return Mail(
        order_id=row["order_id"]["S"],
        status=Status(row["status"]["S"]),
        recipient=row["recipient"]["S"],
        subject=row["subject"]["S"],
        text=row["text"]["S"],
    )
