"""The execution: all state between two events, as one value that can be stored as JSON.

A frame is the same as in other interpreters: a place in the program, its variables, and a link to the frame around it.
The execution itself is frame 0. Each branch of a Parallel state and each iteration of a Map state has a frame too.
AWS runs each iteration of a distributed Map as a child execution; here it is a frame that numbers its own events.

``msgspec.json.encode(execution)`` and ``decode(…, type=Execution)`` are exact inverses. It holds no history, because
the history can be derived again from the input events (``replay``). It holds only the number of events, because AWS's
cause texts have event ids.
"""

import msgspec

from expediter.asl.protocol import NO_CONTEXT, Json

# gc=False: values made of JSON hold no cycles, so the garbage collector can skip them.


class Portion(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Items of a Map in a row that come from one place, as ``$$.Map.Item.Source`` names it.

    ``pairs``: they are the entries of an object, each as ``{"Key": …, "Value": …}``.
    """

    source: str
    count: int
    pairs: bool = False


class Group(msgspec.Struct, omit_defaults=True, gc=False):
    """The children of a Parallel or Map state that runs now."""

    #: The output of each child by its index; null where the child has not ended.
    results: list[Json] = []
    #: The number of children that have not ended.
    pending: int = 0
    #: Map: the items, or batches of them, and the index of the next one to start.
    items: list[Json] | None = None
    next: int = 0
    #: Distributed Map: the indexes that failed; ToleratedFailureCount (-1: any number) and ToleratedFailurePercentage
    #: of the ``total`` number of items.
    failed: list[int] = []
    tolerated: int = 0
    percentage: float = 100
    total: int = 0
    #: Map: where the items come from; empty: they are an array of the input.
    portions: list[Portion] = []
    #: ItemReader: MaxItems (0: all); the objects still to read, each by bucket and key, the columns of an inventory,
    #: and the items found so far.
    most: int = 0
    unread: list[tuple[str, str]] = []
    columns: list[str] = []
    found: list[Json] = []
    #: ResultWriter: what it writes of each child execution (null before it begins), and the number of files written.
    records: list[Json] = []
    written: int = 0


class Frame(msgspec.Struct, omit_defaults=True, gc=False):
    """The execution itself, a branch of a Parallel state, or an iteration of a Map state.

    A frame is altered only while ``advance`` runs, and only if no Execution holds it yet: ``Run.own`` makes a copy.
    """

    number: int = 0
    #: The current state, its raw input, and the event id and the time (milliseconds) at which it was entered.
    state: str = ""
    input: Json = None
    entered: int = 0
    entered_at: int = 0
    #: The id of the last history event of this frame: ``previousEventId`` of the next.
    last: int = 0
    variables: dict[str, Json] = {}
    #: What the frame waits for: a task, a timer (that fires at ``due``), or the children of ``group``.
    task: int | None = None
    seed: int = 0
    timer: int | None = None
    due: int = 0
    group: Group | None = None
    #: The number of retries so far, in all and for each retrier.
    attempt: int = 0
    retries: list[int] = []
    #: The frame of the Parallel or Map state around this one, and this one's index in it. JSON calls it ``place``.
    parent: int | None = None
    index: int = msgspec.field(default=0, name="place")
    item: Json = None
    #: The frame of the child execution that this one belongs to; 0 outside a distributed Map. JSON calls it ``lane``.
    child_execution: int = msgspec.field(default=0, name="lane")
    #: If this frame is a child execution: the number of its history events, and its input.
    events: int = 0
    origin: Json = None
    #: The bytes of ``input`` as JSON, or more; 0 where they are not known.
    size: int = 0


class Execution(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A run of a machine. Begin with ``Execution()`` and a Started event.

    ``status``: NEW, RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; ``output`` or ``error`` and ``cause`` once ended.
    An execution that failed keeps what a Redriven event needs to go on.
    """

    status: str = "NEW"
    frames: dict[int, Frame] = {}
    #: History events so far; task, timer and frame numbers given out so far.
    events: int = 0
    numbers: int = 0
    started_at: int = 0
    #: The fixed part of the context object as JSON text, and the execution's input if the machine ever looks at it.
    context: msgspec.Raw = NO_CONTEXT
    input: Json = None
    #: The timer of the machine's own TimeoutSeconds.
    deadline: int | None = None
    due: int = 0
    output: Json = None
    error: str | None = None
    cause: str | None = None


def new_execution() -> Execution:
    """An execution that waits for its Started event."""
    return Execution()
