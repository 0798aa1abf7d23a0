"""Whether prepared answers have the form that ``simulate`` takes, and belong to the machine."""

from collections.abc import Iterator

from expediter.asl.errors import Fault
from expediter.asl.machine import Machine
from expediter.asl.protocol import Json
from expediter.asl.texts import did_you_mean

#: An answer has exactly one of ANSWERS, and may have any of BESIDE.
ANSWERS = ("result", "failed", "timed_out", "never_finished")
BESIDE = ("error", "cause", "request", "submitted", "after_seconds", "state", "timeout_seconds", "heartbeat_seconds")

#: A year, for which a Standard workflow may run.
_LONGEST = 31_536_000


def check_mocks(machine: Machine, mocks: Json) -> tuple[Fault, ...]:
    """Everything wrong with prepared answers, each with its path (``ProcessPayment[0].reslt``)."""
    if not isinstance(mocks, dict):
        return (Fault("", "The answers are an object: the name of a task or state -> a list of answers"),)
    return tuple(_faults(machine, mocks))


def _faults(machine: Machine, mocks: dict[str, Json]) -> Iterator[Fault]:
    known = [*machine.resources, *machine.states]
    for name, answers in mocks.items():
        if name not in known:
            yield Fault(name, f"No task or state has this name{did_you_mean(name, known)}")
        if not isinstance(answers, list):
            yield Fault(name, "must be a list of answers, one for each call")
            continue
        for index, answer in enumerate(answers):
            yield from _answer(f"{name}[{index}]", answer)


def _answer(place: str, answer: Json) -> Iterator[Fault]:
    if not isinstance(answer, dict):
        yield Fault(place, f"must be an object with one of {', '.join(ANSWERS)}")
        return
    for field in answer.keys() - {*ANSWERS, *BESIDE}:
        yield Fault(f"{place}.{field}", f"is not a field of an answer{did_you_mean(field, (*ANSWERS, *BESIDE))}")
    if sum(field in answer for field in ANSWERS) != 1:
        yield Fault(place, f"must have exactly one of {', '.join(ANSWERS)}")
    yield from _values(place, answer)


def _values(place: str, answer: dict[str, Json]) -> Iterator[Fault]:
    for field in ANSWERS[1:]:
        if field in answer and answer[field] is not True:
            yield Fault(f"{place}.{field}", "must be true")
    for field in ("error", "cause"):
        if not isinstance(answer.get(field), str | None):
            yield Fault(f"{place}.{field}", "must be a text")
    seconds = answer.get("after_seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST:
        yield Fault(f"{place}.after_seconds", f"must be a number of seconds, 0 to {_LONGEST}")
