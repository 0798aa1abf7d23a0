"""One error, one name: the tree drawn in the module is the tree of the classes, and each class says what to do."""

import inspect
import re

import pytest

from expediter.domain import errors
from expediter.domain.errors import Fault, OrderError, OrderInvalid

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, OrderError) and kind is not OrderError
}


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")

    assert drawn == list(CLASSES)
    assert {kind.__base__ for kind in CLASSES.values()} == {OrderError}


@pytest.mark.parametrize("name", sorted(CLASSES.keys() - {"OrderInvalid"}))
def test_an_error_says_by_itself_what_happened_and_what_to_do_next(name: str) -> None:
    error = CLASSES[name]()

    assert error.name == name
    assert "\n" not in str(error)
    assert str(error).count(". ") >= 1 or str(error).count(", ") >= 1
    assert str(error).endswith(".")


def test_a_given_message_takes_the_place_of_the_default() -> None:
    assert str(errors.OrderNotFound("There is no order 5.")) == "There is no order 5."


def test_an_invalid_order_names_each_fault_with_its_path() -> None:
    error = OrderInvalid((Fault("items[0].quantity", "too few"), Fault("", "too much")))

    assert str(error) == "The order cannot be accepted as it is: items[0].quantity: too few; too much."
    assert [fault.path for fault in error.faults] == ["items[0].quantity", ""]


def test_no_name_begins_like_those_of_the_states_language() -> None:
    assert not [name for name in CLASSES if name.startswith("States")]
