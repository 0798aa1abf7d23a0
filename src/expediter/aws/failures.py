"""What goes wrong with AWS itself, as the errors that the use cases know."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from expediter.domain.errors import StoreUnavailable


@contextmanager
def unavailable() -> Iterator[None]:
    """Whatever AWS refuses or does not answer inside is StoreUnavailable, with AWS's own name for it in its message."""
    try:
        yield
    except ClientError as error:
        raise StoreUnavailable(f"{StoreUnavailable()} ({code(error)})") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"{StoreUnavailable()} ({type(error).__name__})") from error


def code(error: ClientError) -> str:
    """AWS's name for the error."""
    return error.response.get("Error", {}).get("Code", "")
