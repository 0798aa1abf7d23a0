"""Turns errors of AWS into errors that the use cases know."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from expediter.domain.errors import StoreUnavailable


@contextmanager
def unavailable() -> Iterator[None]:
    """Inside the ``with`` block an error of AWS becomes StoreUnavailable. Its message has AWS's name of the error."""
    try:
        yield
    except ClientError as error:
        raise StoreUnavailable(f"{StoreUnavailable()} ({code(error)})") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"{StoreUnavailable()} ({type(error).__name__})") from error


def code(error: ClientError) -> str:
    """AWS's name for the error."""
    return error.response.get("Error", {}).get("Code", "")
