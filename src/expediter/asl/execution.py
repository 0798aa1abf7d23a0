"""The execution: everything that has to be remembered between two events, as one value that can be stored as JSON.

``msgspec.json.encode(execution)`` and ``decode(…, type=Execution)`` are exact inverses. No history is kept here: it is
derived again from the input events (``replay``), so only the events' count goes along, since AWS's cause texts cite
event ids.
"""

import msgspec

from expediter.asl.protocol import NO_CONTEXT, Json

# gc=False: values made of JSON hold no cycles, so the garbage collector need not look at them.


class Group(msgspec.Struct, omit_defaults=True, gc=False):
    """The children of a Parallel or Map state that runs now."""

    #: What each child yielded so far, by its place; a place not yet done is null.
    results: list[Json] = []
    #: Children still to yield.
    pending: int = 0
    #: Map: the items (or batches of them) to work through; the place of the next one to start.
    items: list[Json] | None = None
    next: int = 0
    #: Distributed Map: places that failed; how many items may (-1: any number), and how many in a hundred of the total.
    failed: list[int] = []
    tolerated: int = 0
    percentage: float = 100
    total: int = 0
    #: ItemReader: MaxItems (0: all).
    most: int = 0


class Frame(msgspec.Struct, omit_defaults=True, gc=False):
    """One line of states being walked: the execution itself, or a branch or iteration inside it.

    A frame is altered only while ``advance`` runs, and only a copy that no Execution holds yet.
    """

    number: int = 0
    #: The state the line stands in, its raw input, and when and under which event id it was entered.
    state: str = ""
    input: Json = None
    entered: int = 0
    entered_at: int = 0
    #: The last history event of this line (``previousEventId`` of the next).
    last: int = 0
    variables: dict[str, Json] = {}
    #: What the line waits for: a task, a timer (due at), or the children of ``group``.
    task: int | None = None
    seed: int = 0
    timer: int | None = None
    due: int = 0
    group: Group | None = None
    #: Retries so far in all, and by each retrier.
    attempt: int = 0
    retries: list[int] = []
    #: The frame of the Parallel or Map state that this one belongs to, and its place there.
    parent: int | None = None
    place: int = 0
    item: Json = None
    #: The line whose event numbers this one uses: 0, or the child execution of a distributed Map that it belongs to.
    lane: int = 0
    #: History events of the child execution that this line is.
    events: int = 0
    #: What that child execution was started with.
    origin: Json = None
    #: The bytes of ``input`` as JSON, or more; 0 where nobody has measured them.
    size: int = 0


class Execution(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A run of a machine. Begin with ``Execution()`` and a Started event.

    ``status``: NEW, RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; ``output`` or ``error`` and ``cause`` once ended.
    One that ended unsuccessfully keeps what a Redriven event goes on from.
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
