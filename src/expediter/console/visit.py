"""The input of a page, and its kinds of answer."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from expediter.api.request import Response
from expediter.app.access import ALL, Scope
from expediter.app.gateways import Gateway, GatewayName
from expediter.app.operator.audit import Operator
from expediter.app.operator.services import OperatorServices
from expediter.console.trial import Trial


class Site(msgspec.Struct, frozen=True):
    """Values that do not change while the server runs. ``link``: returns the address of an order's customer page
    (``/o/…``), from the generation of its links and the time at which the link is made (ms since 1970 UTC).

    ``simulated``: what is not real here, of ``words.NOT_REAL``.
    ``signs_in``: operators have to sign in; ``asset`` gives the address of a static file.
    """

    gateways: Mapping[GatewayName, Gateway]
    simulated: tuple[str, ...]
    signs_in: bool
    link: Callable[[str, int, int], str]
    asset: Callable[[str], str]


class Visit(msgspec.Struct, frozen=True):
    """One request of an operator's browser. ``seen`` is where the live stream stands.

    ``form_token`` makes the token of a form: each has its own, which is its key too, so that it acts once.
    ``trial``: the result of the definition in the form, for a route that ``tries`` it.
    """

    site: Site
    who: Operator
    form_token: Callable[[], str]
    now: int
    new_id: Callable[[], str]
    params: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    form: Mapping[str, str] = {}
    seen: str = ""
    trial: Trial = Trial()
    scopes: frozenset[Scope] = ALL

    def may(self, scope: str) -> bool:
        """Whether the operator has this scope. A page does not offer what he may not do."""
        return scope in self.scopes

    def said(self) -> str:
        """The result of the action before this page, as a key of ``words.SAID``."""
        return self.query.get("said", "")


Handler: TypeAlias = Callable[[OperatorServices, Visit], Response]


class Route(NamedTuple):
    """A page or an act, and the scope that it needs. ``writes``: it is a POST and runs inside a unit of the writer,
    under the name it has here.

    ``tries``: it shows the result of a definition, which is tried before in a process of its own.
    """

    handle: Handler
    need: Scope
    writes: str = ""
    tries: bool = False


def to(address: str, said: str = "") -> Response:
    """Redirects to a page after an action (303). ``said`` is the result that the page shows."""
    mark = "&" if "?" in address else "?"
    return Response(303, (("Location", f"{address}{mark}said={said}" if said else address),))
