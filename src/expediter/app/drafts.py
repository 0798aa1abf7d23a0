"""An order as a customer sends it, parsed once at the edge. Both APIs and the queue's messages use this one form.

Limits: 100 items, names of 200 characters, 2^31-1 for the total (minor units) and for the sum of the quantities. Names
are visible text on one line, read from left to right. Every text is kept in Unicode's NFC.
"""

import hashlib
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from expediter.app import addresses
from expediter.app.card_numbers import MAYBE_CARD_NUMBER, card_numbers, refuse_card_numbers
from expediter.app.faults import faults_of_body, faults_of_value
from expediter.app.field_types import Currency, Email, Metadata, Name, PaymentMethod, Price, Quantity
from expediter.app.ports import AcceptedOrder, OrderSettings
from expediter.app.strict_json import repeated_key
from expediter.domain.currencies import CURRENCIES, PUBLISHED
from expediter.domain.errors import Fault, OrderInvalid
from expediter.domain.money import LARGEST_TOTAL
from expediter.domain.order import ERASED, LARGEST_QUANTITY, Change, Item, Order
from expediter.domain.texts import composed

MAX_ITEMS = 100
#: The name of an order of one thing, if the customer gave none.
UNNAMED = "item"


class DraftItem(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    quantity: Quantity
    unit_price: Price | None = None


Items = Annotated[tuple[DraftItem, ...], Meta(min_length=1, max_length=MAX_ITEMS)]


class Draft(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A new order: one thing (``quantity``, ``name``), or ``items``; never both."""

    user_id: Name
    restaurant_id: Name
    quantity: Quantity | None = None
    name: Name | None = None
    items: Items | None = None
    currency: Currency | None = None
    email: Email | None = None
    payment_method: PaymentMethod | None = None
    metadata: Metadata | None = None


class AcceptedItem(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    name: str
    quantity: int | str
    unit_price: int | None = None


class AcceptedDraft(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A draft that was accepted. It has the fields of a Draft, without its rules.

    A message may wait on the queue while the server is updated. New rules must not refuse it, because its customer was
    told that the order is accepted.
    """

    user_id: str
    restaurant_id: str
    quantity: int | str | None = None
    name: str | None = None
    items: tuple[AcceptedItem, ...] | None = None
    currency: str | None = None
    email: str | None = None
    payment_method: str | None = None
    metadata: dict[str, str] | None = None


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What the settings add to a draft. It is fixed when the order is accepted, because the customer sees the price
    then.

    ``default_price``: minor units, for an item without a price. ``hold_seconds``: how long the order may be cancelled.
    """

    default_price: int
    currency: str
    hold_seconds: int


class ChangeDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of an order that shall change. A field that is absent stays as it is."""

    restaurant_id: Name | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    items: Items | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    email: Email | None | UnsetType = UNSET
    user_id: Name | UnsetType = UNSET


D = TypeVar("D", Draft, ChangeDraft)
AnyDraft: TypeAlias = Draft | AcceptedDraft
_LISTS = {"items": DraftItem}


def parse(body: bytes, form: type[D]) -> D:
    """The body as a Draft or ChangeDraft. Raises OrderInvalid, and msgspec.DecodeError when it is not JSON."""
    try:
        draft = msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as error:
        raise OrderInvalid(faults_of_body(body, form, _LISTS, error)) from error
    # Each key has a colon. With as many colons as keys, no key is there twice. With more, the text is searched for one.
    if body.count(b":") != _keys(draft) and (path := repeated_key(body)):
        raise OrderInvalid((Fault(path, "is given twice; give it once"),))
    # Nearly all bodies are plain ASCII, without escapes such as \\u00e9.
    return draft if body.isascii() and b"\\u" not in body else _composed(draft, form)


def _keys(draft: Draft | ChangeDraft) -> int:
    """The number of keys in the draft's text, without those that are null."""
    values = msgspec.structs.astuple(draft)
    keys = len(values) - values.count(None) - values.count(UNSET) + _pairs(draft)
    if draft.items is None or draft.items is UNSET:
        return keys
    return keys + sum(2 if item.unit_price is None else 3 for item in draft.items)


def _pairs(draft: Draft | ChangeDraft) -> int:
    """The number of names in the draft's metadata."""
    return len(draft.metadata or ()) if isinstance(draft, Draft) else 0


def convert(value: object, form: type[D]) -> D:
    """A parsed JSON value (GraphQL's input, in snake_case) as a Draft or ChangeDraft."""
    try:
        draft = msgspec.convert(value, type=form)
    except msgspec.ValidationError as error:
        raise OrderInvalid(faults_of_value(value, form, _LISTS, error)) from error
    return _composed(draft, form)


def _composed(draft: D, form: type[D]) -> D:
    """The draft with every text in NFC. It is checked again, because NFC may be longer, or hold another character."""
    text = encode(draft).decode()
    if (normal := composed(text)) == text:
        return draft
    again = convert(msgspec.json.decode(normal), form)
    if _pairs(draft) != _pairs(again):
        raise OrderInvalid((Fault("metadata", "two of its names are the same text (in Unicode's NFC)"),))
    return again


def fingerprint(draft: AnyDraft) -> str:
    """A hash of all fields of the draft, its user included. Equal orders have equal hashes; ``"3"`` and 3 are equal."""
    return hashlib.sha256(encode(_numbered(draft))).hexdigest()


encode = msgspec.json.Encoder().encode


def _numbered(draft: AnyDraft) -> AnyDraft:
    """The draft with digits as the numbers that they are, and metadata in the order of its names."""
    if draft.metadata is not None:
        draft = msgspec.structs.replace(draft, metadata=dict(sorted(draft.metadata.items())) or None)
    if isinstance(draft.quantity, str):
        draft = msgspec.structs.replace(draft, quantity=int(draft.quantity))
    if draft.items and any(isinstance(item.quantity, str) for item in draft.items):
        items = tuple(msgspec.structs.replace(item, quantity=int(item.quantity)) for item in draft.items)
        draft = msgspec.structs.replace(draft, items=items)
    return draft


def terms_of(settings: OrderSettings) -> Terms:
    """What these settings add to a draft."""
    return Terms(settings.default_price, settings.currency, settings.hold_seconds)


def write(draft: Draft, order_id: str, at: int, terms: Terms) -> tuple[bytes, AcceptedOrder]:
    """The body of a message sent ``at``, and what it asks for. Raises OrderInvalid with every fault found."""
    body = encode(draft)
    if MAYBE_CARD_NUMBER(body):
        refuse_card_numbers(draft)
    return body, AcceptedOrder(order_of(draft, order_id, at, terms), fingerprint(draft), terms.hold_seconds)


def read_accepted(body: bytes, order_id: str, at: int, terms: Terms) -> AcceptedOrder:
    """The order in the body of a message that was accepted ``at``. Raises msgspec.DecodeError when it is none."""
    draft = _accepted(body)
    return AcceptedOrder(completed(draft, order_id, at, terms), fingerprint(draft), terms.hold_seconds)


_accepted = msgspec.json.Decoder(AcceptedDraft).decode


def read_new(body: bytes, order_id: str, at: int, terms: Terms) -> AcceptedOrder:
    """As ``read_accepted``, for a message from another system. Its order was not checked yet. Raises OrderInvalid
    too."""
    draft = parse(body, Draft)
    refuse_card_numbers(draft)
    return AcceptedOrder(order_of(draft, order_id, at, terms), fingerprint(draft), terms.hold_seconds)


def order_of(draft: Draft, order_id: str, at: int, terms: Terms) -> Order:
    """The order that a new draft asks for, in PENDING. Raises OrderInvalid with every fault found."""
    if faults := _faults(draft):
        raise OrderInvalid(tuple(faults))
    return _payable(completed(draft, order_id, at, terms))


def completed(draft: AnyDraft, order_id: str, at: int, terms: Terms) -> Order:
    """The order of a draft that is known to be right, in PENDING."""
    if draft.items:
        name, items = None, _items(draft.items, terms)
    else:
        name = draft.name or UNNAMED
        items = (Item(name=name, quantity=int(draft.quantity or 0), unit_price=terms.default_price),)
    return Order(
        id=order_id,
        user_id=draft.user_id,
        restaurant_id=draft.restaurant_id,
        name=name,
        items=items,
        currency=draft.currency or terms.currency,
        email=draft.email,
        created_at=at,
        updated_at=at,
        payment_method=msgspec.UNSET if draft.payment_method is None else draft.payment_method,
        metadata=draft.metadata or UNSET,
    )


def draft_of(order: Order) -> Draft:
    """The draft of the same order, with the same prices. It has items, because only they have prices."""
    items = tuple(DraftItem(item.name, item.quantity, item.unit_price) for item in order.items)
    return Draft(
        order.user_id,
        order.restaurant_id,
        items=items,
        currency=order.currency,
        email=order.email,
        payment_method=None if order.payment_method is UNSET else order.payment_method,
        metadata=None if order.metadata is UNSET else order.metadata,
    )


def change_of(draft: ChangeDraft, order: Order, settings: OrderSettings) -> Change:
    """The change that a draft asks of this order. Raises OrderInvalid with every fault found."""
    faults = [*card_numbers(draft), *_new_faults(draft, order)]
    plain = draft.name is not UNSET or draft.quantity is not UNSET
    if plain and draft.items is not UNSET:
        faults.append(Fault("items", "give either items or name and quantity, not both"))
    elif plain and order.name is None:
        faults.append(Fault("items", "this order has several items; change them with items"))
    if faults:
        raise OrderInvalid(tuple(faults))
    change = Change(restaurant_id=draft.restaurant_id, email=draft.email, currency=draft.currency)
    if draft.items is not UNSET:
        change = msgspec.structs.replace(change, name=None, items=_changed_items(draft.items, order, settings))
    elif plain:
        change = _plain_change(change, draft, order)
    if change.items is not UNSET:
        _payable(msgspec.structs.replace(order, items=change.items))
    return change


def _new_faults(draft: ChangeDraft, order: Order) -> list[Fault]:
    """What is wrong with the values that would change. Values that the order has already may stay, also when a new
    order could not have them any more.
    """
    faults = _currency_faults(draft.currency) if draft.currency != order.currency else []
    if draft.email != order.email:
        faults += _email_faults(draft.email)
    if draft.user_id is not UNSET and draft.user_id != order.user_id:
        faults.append(Fault("user_id", "an order keeps its user; place a new order"))
    return faults


def _changed_items(items: tuple[DraftItem, ...], order: Order, settings: OrderSettings) -> tuple[Item, ...]:
    """The items. An item that the order has already keeps the price that its customer saw, if it comes without one."""
    told = {item.name: item.unit_price for item in reversed(order.items)}
    priced = (
        msgspec.structs.replace(item, unit_price=told.get(item.name)) if item.unit_price is None else item
        for item in items
    )
    return _items(tuple(priced), terms_of(settings))


def _plain_change(change: Change, draft: ChangeDraft, order: Order) -> Change:
    (item,) = order.items
    name = item.name if draft.name is UNSET else draft.name
    quantity = item.quantity if draft.quantity is UNSET else int(draft.quantity)
    return msgspec.structs.replace(
        change, name=name, items=(Item(name=name, quantity=quantity, unit_price=item.unit_price),)
    )


def _items(items: tuple[DraftItem, ...] | tuple[AcceptedItem, ...], terms: Terms) -> tuple[Item, ...]:
    return tuple(
        Item(
            name=item.name,
            quantity=int(item.quantity),
            unit_price=terms.default_price if item.unit_price is None else item.unit_price,
        )
        for item in items
    )


def _faults(draft: Draft) -> list[Fault]:
    faults = []
    if draft.user_id == ERASED:
        faults.append(Fault("user_id", f"'{ERASED}' stands for customers who were erased; give another"))
    if draft.items is None and draft.quantity is None:
        faults.append(Fault("quantity", "give a quantity (or items)"))
    if draft.items is not None and (draft.name is not None or draft.quantity is not None):
        faults.append(Fault("items", "give either items or name and quantity, not both"))
    if draft.currency is not None:
        faults += _currency_faults(draft.currency)
    if draft.email is not None:
        faults += _email_faults(draft.email)
    return faults


def _email_faults(email: str | UnsetType | None) -> list[Fault]:
    why = addresses.fault(email) if isinstance(email, str) else ""
    return [Fault("email", why)] if why else []


def _currency_faults(currency: str | UnsetType | None) -> list[Fault]:
    if not isinstance(currency, str) or currency in CURRENCIES:
        return []
    return [Fault("currency", f"{currency} is not on ISO 4217's list of {PUBLISHED}; give one like USD or EUR")]


def _payable(order: Order) -> Order:
    if order.total > LARGEST_TOTAL:
        raise OrderInvalid((Fault("", f"the total is {order.total} minor units, more than {LARGEST_TOTAL}"),))
    if len(order.items) > 1 and order.quantity > LARGEST_QUANTITY:
        raise OrderInvalid(
            (Fault("items", f"the quantities add up to {order.quantity}, more than {LARGEST_QUANTITY}"),)
        )
    return order
