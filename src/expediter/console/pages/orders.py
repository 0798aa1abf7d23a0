"""The list of orders, and the form that places one."""

from urllib.parse import urlencode

from expediter.api.request import Response
from expediter.app import orders
from expediter.app.drafts import Draft, convert
from expediter.app.operator import actions
from expediter.app.operator.scenarios import SCENARIOS, pick, unavailable
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import Caller, Page, Query
from expediter.asl.protocol import Json
from expediter.console import words
from expediter.console.render import page
from expediter.console.visit import Visit, to
from expediter.domain.errors import Fault, OrderInvalid, OrderNotFound
from expediter.domain.order import Status
from expediter.domain.texts import composed

#: Rows of one page: more make a page heavy and slow to patch.
ROWS = 100
_CALLER = Caller()
_FILTERS = ("status", "restaurant", "customer")


def list_orders(services: OperatorServices, visit: Visit) -> Response:
    """The newest orders that pass the filters in the address."""
    query = {name: composed(value.strip()) for name, value in visit.query.items() if value.strip()}
    filters = {name: query[name] for name in _FILTERS if name in query}
    found = _find(services, query)
    rows = [words.row(order, visit.now) for order in found.items]
    following = {**filters, "cursor": found.cursor} if found.cursor else None
    return page(
        "orders",
        visit,
        rows=rows,
        counts=services.flow.counts(),
        total=sum(services.flow.counts().values()),
        filters=filters,
        wanted=query.get("id", ""),
        chips=[(status, _address({**filters, "status": status.value})) for status in Status],
        everything=_address({name: value for name, value in filters.items() if name != "status"}),
        following=_address(following) if following else None,
        newest=_address(filters),
        older="cursor" in query,
        live="cursor" not in query and "id" not in query,
    )


def _find(services: OperatorServices, query: dict[str, str]) -> Page:
    if "id" in query:
        try:
            return Page((orders.find(services.work, _CALLER, query["id"].lower()),), None)
        except OrderNotFound:
            return Page((), None)
    status = query.get("status", "")
    return orders.page(
        services.work,
        _CALLER,
        Query(
            user_id=query.get("customer"),
            restaurant_id=query.get("restaurant"),
            status=Status(status) if status in Status.__members__ else None,
            limit=ROWS,
            cursor=query.get("cursor"),
        ),
    )


def _address(query: dict[str, str]) -> str:
    return f"/console?{urlencode(query)}" if query else "/console"


# ── the form ──────────────────────────────────────────────────────────────────────────────────────────────────────


def new_order(services: OperatorServices, visit: Visit) -> Response:
    return _form(
        services, visit, {"quantity": "2", "name": "Burger", "user_id": "guest", "restaurant_id": "Restaurant 4"}
    )


def place_order(services: OperatorServices, visit: Visit) -> Response:
    """Places the order of the form, under an id that gives the scenario's outcome."""
    form = {name: value.strip() for name, value in visit.form.items()}
    chosen = form.get("scenario", "normal")
    scenario = SCENARIOS.get(chosen, SCENARIOS["normal"])
    order_id = pick(scenario, visit.site.gateways, visit.new_id)
    try:
        if order_id is None:
            raise OrderInvalid((Fault("scenario", "is not possible with the gateways that are set"),))
        draft = convert(_draft(form), Draft)
        actions.place(services, visit.who, draft, order_id, scenario.says)
        if scenario.twice:
            actions.place(services, visit.who, draft, order_id, scenario.title)
    except OrderInvalid as error:
        return _form(services, visit, form, error.faults)
    said = "twice" if scenario.twice else "cancelling" if scenario.cancel else "placed"
    return to(f"/console/orders/{order_id}", said)


def _draft(form: dict[str, str]) -> Json:
    """The form as the body of an order; a price makes it an order of items."""
    fields = {name: form[name] for name in ("user_id", "restaurant_id", "email", "currency") if form.get(name)}
    name, quantity, price = form.get("name", ""), form.get("quantity", ""), form.get("unit_price", "")
    if not price:
        return {**fields, "quantity": quantity, **({"name": name} if name else {})}
    if not (price.isascii() and price.isdigit() and len(price) < 12):
        raise OrderInvalid((Fault("unit_price", "give whole minor units, such as 1250 for 12.50"),))
    return {**fields, "items": [{"name": name, "quantity": quantity, "unit_price": int(price)}]}


def _form(services: OperatorServices, visit: Visit, given: dict[str, str], faults: tuple[Fault, ...] = ()) -> Response:
    hold = services.work.settings.hold_seconds
    offers = [(key, scenario, unavailable(scenario, visit.site.gateways, hold)) for key, scenario in SCENARIOS.items()]
    return page(
        "new_order",
        visit,
        status=422 if faults else 200,
        given=given,
        faults=faults,
        offers=offers,
        chosen=given.get("scenario", "normal"),
        settings=services.work.settings,
    )
