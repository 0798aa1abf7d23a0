"""Hostile workflows, and an order of which their expressions make much."""

import json
from typing import Any

CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
DONE: dict[str, Any] = {"Done": {"Type": "Succeed"}}
#: A customer's own order: 100 things with long names.
ORDER = {
    "user_id": "a" * 199 + "!",
    "restaurant_id": "r",
    "items": [{"name": f"{number:03}" + "a" * 190 + "!", "quantity": 1} for number in range(100)],
}

SUM = "$sum([1..10000].($*2))"
RECURSION = "($f := function($n) { $f($n + 1) }; $f(0))"
TEXT = "$string([1..30000])"


def jsonata(*expressions: str) -> dict[str, Any]:
    """States that evaluate one expression each."""
    states = {}
    for number, expression in enumerate(expressions):
        following = f"S{number + 1}" if number + 1 < len(expressions) else "Done"
        states[f"S{number}"] = {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {"found": "{% " + expression + " %}"},
            "Next": following,
        }
    return {"StartAt": "S0", "States": {**states, **DONE}}


def fields(expression: str, count: int) -> dict[str, Any]:
    """One state that evaluates an expression many times."""
    output = {f"f{number}": "{% (" + expression + "; 1) %}" for number in range(count)}
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "Next": "Done"}
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


def choice(expression: str, count: int) -> dict[str, Any]:
    choices = [{"Condition": "{% (" + expression + "; false) %}", "Next": "Done"} for _ in range(count)]
    state = {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": choices, "Default": "Done"}
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


def mapped(items: str, expression: str, *, distributed: bool = False, tolerated: bool = True) -> dict[str, Any]:
    inner = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% (" + expression + "; 1) %}", "End": True}
    processor: dict[str, Any] = {"StartAt": "I", "States": {"I": inner}}
    if distributed:
        processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    state: dict[str, Any] = {
        "Type": "Map",
        "QueryLanguage": "JSONata",
        "Items": "{% " + items + " %}",
        "ItemProcessor": processor,
        "ItemSelector": {"x": "{% (" + expression + "; 1) %}"},
        "Catch": CATCH,
        "Next": "Done",
    }
    if distributed and tolerated:
        state["ToleratedFailurePercentage"] = 100
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


def parallel(expression: str, count: int) -> dict[str, Any]:
    inner = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% (" + expression + "; 1) %}", "End": True}
    branch = {"StartAt": "I{}", "States": {"I{}": inner}}
    branches = [json.loads(json.dumps(branch).replace("{}", str(number), 2)) for number in range(count)]
    state = {"Type": "Parallel", "Branches": branches, "Catch": CATCH, "Next": "Done"}
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


#: JSON of about 200 KB.
LARGE = [{"x": number, "name": "a" * 15, "y": [number, number]} for number in range(4_000)]


def on_large(parameters: dict[str, str]) -> dict[str, Any]:
    """A state of JSONPath over a large value."""
    made = {"Type": "Pass", "Result": LARGE, "Next": "Read"}
    read = {"Type": "Pass", "Parameters": parameters, "Next": "Done"}
    return {"StartAt": "Make", "States": {"Make": made, "Read": read, **DONE}}


def many(call: str, count: int = 60) -> dict[str, str]:
    return {f"f{number}.$": call for number in range(count)}


def counting(to: int) -> dict[str, Any]:
    """A loop of states that counts."""
    return {
        "StartAt": "Zero",
        "States": {
            "Zero": {"Type": "Pass", "Result": {"n": 0}, "Next": "One"},
            "One": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Enough"},
            "Enough": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericGreaterThan": to, "Next": "Done"}],
                "Default": "One",
            },
            **DONE,
        },
    }


def waiting(count: int) -> dict[str, Any]:
    """Waits of no time between hostile expressions: many events in one unit of work."""
    states: dict[str, Any] = {}
    for number in range(count):
        states[f"W{number}"] = {"Type": "Wait", "Seconds": 0, "Next": f"S{number}"}
        output = {"x": "{% (" + SUM + "; 1) %}"}
        following = f"W{number + 1}" if number + 1 < count else "Done"
        states[f"S{number}"] = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "Next": following}
    return {"StartAt": "W0", "States": {**states, **DONE}}


CASES: dict[str, dict[str, Any]] = {
    "jsonata: a sum": jsonata(SUM),
    "jsonata: endless recursion": jsonata(RECURSION),
    "jsonata: a long list shuffled": jsonata("$shuffle([1..9999])"),
    "jsonata: padding": jsonata("$pad($states.input.order.user_id, 2000000000)"),
    "jsonata: texts that double": jsonata("($f := function($t) { $f($t & $t) }; $f($states.input.order.user_id))"),
    "jsonata: a regular expression": jsonata("$match($string($states.input.order.items), /(a|a)*!/)"),
    "jsonata: sorting": jsonata("$sort([1..4000], function($l, $r) { $l < $r })"),
    "jsonata: joins of the order's own items": jsonata(
        "$states.input.order.items@$a.$states.input.order.items@$b[$a.name = $b.name].$states.input.order.items"
    ),
    "jsonata: a text near 256 KiB": fields(TEXT, 60),
    "jsonata: 60 hostile fields": fields("$sum([1..1500].($*2))", 60),
    "jsonata: 60 hostile conditions": choice("$sum([1..1500].($*2))", 60),
    "jsonata: 100 states one after the other": jsonata(*["($sum([1..1500].($*2)); $states.input)"] * 100),
    "jsonata: a chain of waits": waiting(30),
    "map: 100 hostile items": mapped("$states.input.order.items", "$sum([1..1500].($*2))"),
    "map: 1,000 items": mapped("[1..1000]", "$sum([1..20].($*2))"),
    "map: distributed, 1,000 hostile items": mapped("[1..1000]", "$sum([1..1500].($*2))", distributed=True),
    "map: distributed, 1,000 items": mapped("[1..1000]", "$sum([1..10].($*2))", distributed=True),
    "parallel: 40 hostile branches": parallel("$sum([1..1500].($*2))", 40),
    "jsonpath: everything below": on_large(many("$..*")),
    "jsonpath: everything below everything": on_large({"f.$": "$..*..*"}),
    "jsonpath: everything below, thrice": on_large({"f.$": "$..*..*..*..*"}),
    "jsonpath: a filter": on_large(many("$..[?(@.x == 1)]")),
    "jsonpath: a filter that reads all for each": on_large({"f.$": "$[?(@.x in $..*)]"}),
    "jsonpath: a filter inside a filter": on_large({"f.$": "$[?(@.y in $[*].y)]"}),
    "jsonpath: a pattern": on_large(many("$[?(@.name =~ /(a|a)*b/)]", 20)),
    "intrinsics: JsonToString": on_large(many("States.JsonToString($)")),
    "intrinsics: StringToJson": on_large(many("States.StringToJson(States.JsonToString($))")),
    "intrinsics: ArrayUnique": on_large(many("States.ArrayUnique($)")),
    "intrinsics: ArrayContains": on_large(many("States.ArrayContains($, $[3999])")),
    "intrinsics: ArrayPartition": on_large(many("States.ArrayPartition($, 1)")),
    "intrinsics: StringSplit": on_large(many("States.StringSplit(States.JsonToString($), 'a')")),
    "intrinsics: Base64, Hash": on_large(many("States.Hash(States.Base64Encode('aaaaaaaa'), 'SHA-512')", 300)),
    "intrinsics: ArrayRange, MathRandom": on_large(many("States.ArrayRange(1, States.MathRandom(900, 1000), 1)", 300)),
    "intrinsics: Format": on_large(many("States.Format('{}', $)")),
    "states: a loop of 12,000": counting(6_000),
}
