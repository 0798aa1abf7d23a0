"""ItemReader: one object after the other is asked of the store, until all items are there or MaxItems of them."""

from collections.abc import Callable
from typing import NamedTuple

from expediter.asl.execution import Frame, Group, Portion
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.datasets.formats import Format, content_of, csv_dataset, json_dataset
from expediter.asl.states.datasets.manifests import Listing, Located, entries_of
from expediter.asl.states.state import Arguments

GET, LIST = "arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"


class ItemReader(NamedTuple):
    """``arguments``: the request to the store. ``most``: MaxItems, 0 for all.

    ``listing``: where the answer tells which objects to read, how; None: it is the dataset. ``format``: how to read an
    object; None: as the columns of the inventory say, or, for a listing, not at all: its entries are the items.
    """

    resource: str
    arguments: Arguments
    most: Callable[[Scope, Frame], float | None]
    listing: Listing | None
    format: Format | None

    def request(self, scope: Scope, frame: Frame, group: Group) -> tuple[str, Json]:
        """The Resource and the input of the next task."""
        asked = self.arguments(scope, frame)
        if not group.unread:
            return self.resource, asked
        bucket, key = group.unread[0]
        return GET, {"Bucket": bucket, "Key": key}

    def dataset(self, text: str) -> Json:
        """What the text of a store holds, where its objects are given instead of read. Raises StateFailure."""
        if self.resource == LIST and self.listing is None:
            return entries_of(json_dataset()(text.encode()))
        return (self.format or csv_dataset(None))(text.encode())

    def take(self, scope: Scope, frame: Frame, group: Group, answer: Json) -> bool:
        """Take an answer of the store into the group; whether there is nothing more to read. Raises StateFailure."""
        if group.unread:
            asked, group.unread = Located(*group.unread[0]), group.unread[1:]
        else:
            asked = _asked(self.arguments(scope, frame))
            if self.listing is not None:
                listed = self.listing(asked, answer)
                group.unread, group.columns = [(place.bucket, place.key) for place in listed.objects], listed.columns
                return not group.unread
        self._add(group, asked, answer)
        return not group.unread or 0 < group.most <= len(group.found)

    def _add(self, group: Group, asked: Located, answer: Json) -> None:
        add_items(group, self._items(group, asked, answer), asked.source())

    def _items(self, group: Group, asked: Located, answer: Json) -> Json:
        if self.resource == LIST and self.listing is None:
            return entries_of(answer)
        read = self.format or csv_dataset(group.columns)
        return read(content_of(answer, asked.key))


def add_items(group: Group, dataset: Json, source: str = "") -> None:
    """Add the items of an array, or the entries of an object, to those found so far, up to MaxItems in all."""
    pairs = isinstance(dataset, dict)
    items = [{"Key": key, "Value": value} for key, value in dataset.items()] if pairs else dataset
    if group.most:
        items = items[: group.most - len(group.found)]
    group.found = [*group.found, *items]
    if pairs or source:
        group.portions = [*group.portions, Portion(source or STATE_DATA, len(items), pairs)]


def item_of(group: Group, index: int, value: Json) -> dict[str, Json]:
    """The item in the context object (``$$.Map.Item``)."""
    first = 0
    for portion in group.portions:
        if index < first + portion.count:
            if portion.pairs:
                return {"Index": index, "Key": value["Key"], "Value": value["Value"], "Source": portion.source}
            return {"Index": index, "Value": value, "Source": portion.source}
        first += portion.count
    return {"Index": index, "Value": value, "Source": STATE_DATA}


#: The source of items that do not come from a store.
STATE_DATA = "STATE_DATA"


def _asked(arguments: Json) -> Located:
    given = arguments if isinstance(arguments, dict) else {}
    return Located(str(given.get("Bucket", "")), str(given.get("Key", "")))
