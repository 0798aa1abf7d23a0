"""Pages from templates. All that is put into one is escaped, except for SVG that is drawn here."""

from collections.abc import Callable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from expediter.api.request import Response
from expediter.console import words
from expediter.console.visit import Visit
from expediter.domain.money import money

_HTML = (("Content-Type", "text/html; charset=utf-8"),)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("expediter.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        money=money,
        clock=words.clock,
        day=words.day,
        duration=words.duration,
        what=words.what,
        short=words.short,
        pretty=words.pretty,
        compact=words.compact,
        added=words.added,
    )
    environment.globals.update(statuses=words.SUBJECTS, not_real=words.NOT_REAL)
    return environment


def page(template: str, visit: Visit, status: int = 200, **values: object) -> Response:
    """The page of this template."""
    said = words.SAID.get(visit.said(), "")
    text = _environment().get_template(f"{template}.html").render(visit=visit, said=said, now=visit.now, **values)
    return Response(status, _HTML, text.encode())


def drawing(svg: str) -> Markup:
    """Marks SVG of our own functions as safe to put into a page. They escape the texts that they are given."""
    return Markup(svg)  # noqa: S704  # drawn by flow_graph and plots, whose texts are escaped


def plain(
    title: str,
    text: str,
    asset: Callable[[str], str],
    *,
    status: int = 200,
    back: str = "",
    sign_in: bool = False,
    issuer: str = "",
) -> Response:
    """A page outside the console: a problem, or where operators sign in, also at the ``issuer`` of this name."""
    template = _environment().get_template("plain.html")
    values = {"title": title, "text": text, "asset": asset, "back": back, "sign_in": sign_in, "issuer": issuer}
    return Response(status, _HTML, template.render(values).encode())
