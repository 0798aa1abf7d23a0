"""JSONPath in AWS's dialect."""

from typing import Any

import pytest

from expediter.asl.errors import PathInvalid, PathMissing
from expediter.asl.expressions.paths import compile_path, compile_reference
from expediter.asl.run import NOWHERE, Run

VALUE: dict[str, Any] = {
    "a": {"b": [1, 2, {"c": 3}]},
    "text": "words",
    "items": [{"price": 1, "name": "a"}, {"price": 5, "name": "b", "tags": ["x", "y"]}],
    'odd\\""name"': "found",
    "odd": [{"b c": 1, "d)e": 1, "f=]": [5]}, {"b c": 2}],
}


class FixedScope:
    """A scope with one variable and a small context object."""

    at = 0

    def context(self) -> dict[str, Any]:
        return {"State": {"Name": "Here"}}

    def variable(self, name: str) -> Any:
        if name != "known":
            raise PathMissing(name)
        return {"x": [7]}

    def variables(self) -> dict[str, Any]:
        return {"known": {"x": [7]}}

    draw = Run.draw
    spent = 0

    def pause(self) -> None:
        pass


def read(path: str) -> Any:
    return compile_path(path).get(VALUE, FixedScope())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", VALUE),
        ("$.text", "words"),
        ("$.a.b[0]", 1),
        ("$.a.b[-1].c", 3),
        ("$.a.b[(@.length-1)].c", 3),
        ("$.a.b[( @.length - 3 )]", 1),
        ("$.a.b.[0]", 1),
        ("$.a.['b'].[2].c", 3),
        (" $.text ", "words"),
        ("$$.State.Name ", "Here"),
        ("$['a']['b'][1]", 2),
        ('$["a"].b[1]', 2),
        ('$[\'odd\\""name"\']', "found"),
        ("$$.State.Name", "Here"),
        ("$known.x[0]", 7),
        ("$known", {"x": [7]}),
    ],
)
def test_a_definite_path_yields_the_one_value_it_names(path: str, found: Any) -> None:
    assert read(path) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.items[*].name", ["a", "b"]),
        ("$.items[0:1]", [VALUE["items"][0]]),
        ("$.items[-1:]", [VALUE["items"][1]]),
        ("$.items[0,1].price", [1, 5]),
        ("$['text','no']", [{"text": "words"}]),
        ("$..c", [3]),
        ("$.a.*", [[1, 2, {"c": 3}]]),
        ("$.items.*.name", ["a", "b"]),
        ("$..tags[0]", ["x"]),
        ("$..tags[9]", []),
        ("$.items[?(@.price > .5 && @.price < 1.5)].name", ["a"]),
        ("$.items.[*].['name', 'no']", [{"name": "a"}, {"name": "b"}]),
        ("$.no.such[*].thing", []),
        ("$.text[*]", []),
        ("$.items[?(@.price > 2)].name", ["b"]),
        ("$.items[?(@.price < 2 || @.name == 'b')].name", ["a", "b"]),
        ("$.items[?(@.price >= 1 && !(@.name != 'a'))].price", [1]),
        ("$.items[?(@.tags)].name", ["b"]),
        ("$.items[?(@.name in ['b', 'c'])].price", [5]),
        ("$.items[?(@.name nin ['b', 'c'])].price", [1]),
        ("$.items[?(@.name =~ /B/i)].price", [5]),
        ("$.items[?('y' in @.tags)].name", ["b"]),
        ("$.items[?(@.tags contains 'x')].name", ["b"]),
        ("$.items[?(@.tags size 2)].name", ["b"]),
        ("$.items[?(@.tags anyof ['y', 'z'])].name", ["b"]),
        ("$.items[?(@.tags noneof ['z'])].name", ["b"]),
        ("$.items[?(@.tags subsetof ['x', 'y', 'z'])].name", ["b"]),
        ("$.items[?(@.price == '1')].name", []),
        ("$.items[?(@.price == true)].name", []),
        ("$.items[?(@.price == $.a.b[0])].name", ["a"]),
        ("$.items[?(@.name==b)].price", [5]),
        ("$.items.[?(@.price > 1)].name", ["b"]),
        ("$.odd[?(@['b c']==2)]", [{"b c": 2}]),
        ('$.odd[?(@["b c"] >= 1 && @[\'d)e\'])].["b c"]', [1]),
        ("$.odd[?(@['f=]'][0] == 5)].['b c']", [1]),
        ("$..odd[(@.length-1)]", [{"b c": 2}]),
        ("$.items[?(@.tags.length() == 2)].name", ["b"]),
    ],
)
def test_an_indefinite_path_yields_a_list_and_an_empty_one_when_nothing_matches(path: str, found: Any) -> None:
    assert read(path) == found


@pytest.mark.parametrize(
    ("path", "value"),
    [("$.items.length()", 2), ("$.items[*].price.sum()", 6.0), ("$.items[*].price.max()", 5.0), ("$.text.length()", 5)],
)
def test_a_function_at_the_end_works_on_the_whole_result(path: str, value: Any) -> None:
    assert read(path) == value


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("$.no", "No results for path: $['no']"),
        ("$.no.such", "Missing property in path $['no']"),
        ("$.a.b[7]", "Index out of bounds when evaluating path $['a']['b'][7]"),
        ("$.text.x", "Expected to find an object with property ['x'] in path $['text'] but found 'java.lang.String'."),
        ("$unknown", "unknown"),
        ("$.no.length()", "No results for path: $['no']"),
    ],
)
def test_a_definite_path_that_leads_nowhere_says_where_it_ended(path: str, words: str) -> None:
    with pytest.raises(PathMissing) as missing:
        read(path)

    assert str(missing.value) == words


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "$.",
        "$..",
        "$.a.",
        "$a b",
        "$.a b",
        "$[",
        "$[a]",
        "$['a'",
        "$[?(1 == 1",
        "$.a[?(@.b ==)]",
        "$.a['b',]",
        "$.a[(@.length)]",
        "$.a[(@.length-0)]",
        "$.a[(@.b-1)]",
        "$.a[?(@['b)]",
    ],
)
def test_a_path_with_a_fault_is_refused_when_it_is_compiled(path: str) -> None:
    with pytest.raises(PathInvalid):
        compile_path(path)


def test_a_reference_path_makes_the_objects_on_its_way_and_alters_nothing() -> None:
    before = {"a": {"b": 1}, "n": None}

    assert compile_reference("$.a.c.d")(before, 2) == {"a": {"b": 1, "c": {"d": 2}}, "n": None}
    assert compile_reference("$.n.x")(before, 2) == {"a": {"b": 1}, "n": {"x": 2}}
    assert compile_reference("$")(before, 2) == 2
    assert compile_reference("$.l[1]")({"l": [1, 2]}, 5) == {"l": [1, 5]}
    assert before == {"a": {"b": 1}, "n": None}


@pytest.mark.parametrize("path", ["$.a[*]", "$..b", "$$.State", "$variable", "$.a[?(@.b)]"])
def test_a_reference_path_names_one_place_in_the_input(path: str) -> None:
    with pytest.raises(PathInvalid):
        compile_reference(path)


def test_outside_any_line_there_is_no_variable() -> None:
    assert NOWHERE.variables == {}
