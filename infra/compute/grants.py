"""What each function may do with the tables, and whose names it gets, in one table with least privilege.

A transaction needs the permissions of its writes. No function may scan a table or delete an item.
"""

from expediter.aws.functions.table import TASK_FUNCTIONS
from expediter.aws.stores.tables import BY_RESTAURANT, BY_STATUS, BY_TIME, BY_USER, UNSENT, UNTOLD, Index, Name
from infra.compute.functions import Functions
from infra.store import Store

READ, WRITE, UPDATE, MANY, LIST = "GetItem", "PutItem", "UpdateItem", "BatchGetItem", "Query"
INDEXES = (BY_USER, BY_RESTAURANT, BY_STATUS, BY_TIME)

_ROW = {Name.ORDERS: (READ, WRITE), Name.CLAIMS: (READ,)}
_API = {Name.ORDERS: (READ, WRITE, MANY), Name.CLAIMS: (READ,)}

#: function → table → what it may do with it.
TABLE_GRANTS: dict[str, dict[Name, tuple[str, ...]]] = {
    "InitializeOrder": {Name.ORDERS: (READ, WRITE), Name.CLAIMS: (READ, UPDATE)},
    "ProcessPayment": {**_ROW, Name.LEDGER: (UPDATE,), Name.MAIL: (UPDATE,)},
    "AwaitPayment": _ROW,
    "SendOrderToRestaurant": _ROW,
    "CompleteOrder": {**_ROW, Name.MAIL: (UPDATE,)},
    "OweRefund": _ROW,
    "RefundPayment": {**_ROW, Name.LEDGER: (UPDATE,)},
    "CancelFailedOrder": {**_ROW, Name.LEDGER: (UPDATE,), Name.MAIL: (UPDATE,)},
    "Intake": {Name.CLAIMS: (READ, UPDATE)},
    "Events": {**_ROW, Name.EVENTS: (READ, WRITE), Name.LEDGER: (UPDATE, LIST), Name.MAIL: (UPDATE,)},
    "Rest": {**_API, Name.EVENTS: (READ, WRITE), Name.LEDGER: (LIST,)},
    "Graphql": {**_API, Name.CLAIMS: (READ, UPDATE), Name.EVENTS: (READ, WRITE)},
    "Mailer": {Name.MAIL: (READ, UPDATE)},
    "Publisher": {Name.ORDERS: (UPDATE,)},
    "Sweeper": {Name.ORDERS: (UPDATE,), Name.MAIL: (READ, UPDATE)},
    "Figures": {Name.ORDERS: (READ, MANY), Name.CLAIMS: (READ,)},
}

#: The indexes that each function reads for its lists.
LISTING: dict[str, dict[Name, tuple[Index, ...]]] = {
    "Rest": {Name.ORDERS: INDEXES},
    "Graphql": {Name.ORDERS: INDEXES},
    "Figures": {Name.ORDERS: (BY_STATUS,)},
    "Sweeper": {Name.ORDERS: (UNTOLD,), Name.MAIL: (UNSENT,)},
}


def grant(functions: Functions, store: Store) -> None:
    """Gives the functions their permissions on the tables, and the tables' names."""
    for name, tables in TABLE_GRANTS.items():
        for table, actions in tables.items():
            made = store.tables[table]
            functions.may(name, [f"dynamodb:{action}" for action in actions], made.table_arn)
            functions.knows(name, **{f"{table}_table": made.table_name})
    for name, listed in LISTING.items():
        for table, indexes in listed.items():
            arn = store.tables[table].table_arn
            functions.may(name, [f"dynamodb:{LIST}"], *(f"{arn}/index/{index.name}" for index in indexes))


def check() -> None:
    """Every task's function has a line; a new task cannot be forgotten. Raises LookupError."""
    missing = TASK_FUNCTIONS.keys() - TABLE_GRANTS.keys()
    if missing:
        raise LookupError(f"TABLE_GRANTS says nothing about {', '.join(sorted(missing))}")
