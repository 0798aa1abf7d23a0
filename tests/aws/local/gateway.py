"""API Gateway's mapping templates, rendered as it does: $input, $util and $context, and Java's strings."""

import re
from typing import Any
from urllib.parse import quote_plus

import airspeed  # type: ignore[import-untyped]  # it ships no types


class Text(str):
    """A string with the methods of Java's that templates call."""

    __slots__ = ()

    def toLowerCase(self) -> "Text":  # noqa: N802  # Java's name
        return Text(self.lower())

    def endsWith(self, end: str) -> bool:  # noqa: N802  # Java's name
        return str.endswith(self, end)

    def lastIndexOf(self, part: str) -> int:  # noqa: N802  # Java's name
        return self.rfind(part)

    def substring(self, start: int, end: int) -> "Text":
        return Text(self[start:end])

    def matches(self, pattern: str) -> bool:
        return re.fullmatch(pattern, self) is not None

    def replace(self, old: str, new: str, _: Any = -1) -> "Text":
        return Text(super().replace(old, new))


class Input:
    def __init__(self, body: str, headers: dict[str, str]) -> None:
        self.body = Text(body)
        self._headers = headers

    def params(self, name: str) -> Text:
        return Text(self._headers.get(name, ""))


class Util:
    def urlEncode(self, text: str) -> Text:  # noqa: N802  # API Gateway's name
        return Text(quote_plus(text))


#: What the access token of somebody who signed in with a password says beside the user.
PERSON = {"client_id": "people", "scope": "aws.cognito.signin.user.admin"}


class Call:
    """One request at the REST API; headers by the exact names that the client wrote, ``path`` as it was called:
    with the stage, or with what a custom domain maps. ``received_at``: ms since 1970 UTC."""

    def __init__(
        self,
        body: str,
        headers: dict[str, str],
        claims: dict[str, str],
        request_id: str,
        path: str = "/dev/orders",
        *,
        received_at: int = 0,
    ) -> None:
        self.answer: dict[str, str] = {}
        self._names = {
            "input": Input(body, headers),
            "util": Util(),
            "context": {
                "requestId": Text(request_id),
                "path": Text(path),
                "requestTimeEpoch": received_at,
                "authorizer": {"claims": {name: Text(value) for name, value in {**PERSON, **claims}.items()}},
                "responseOverride": {"header": self.answer},
            },
        }

    def render(self, template: str) -> str:
        return str(airspeed.Template(template).merge(self._names))
