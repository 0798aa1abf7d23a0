"""JSONata as Step Functions runs it."""

from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, parse
from tests.asl.helpers import END, jsonata, only, places, run_state, run_states

GIVEN = {"a": {"b": [{"n": 1}, {"n": 2}]}, "none": None, "n": 4}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$states.input.n", 4),
        ("$states.input.none", None),
        ("$states.input.a.b.n", [1, 2]),
        ("$states.input.a.b[n=2].n", 2),
        ("$sum($states.input.a.b.n)", 3),
        ("{'x': $states.input.n > 3 ? 'big' : 'small'}", {"x": "big"}),
        ("$partition([1..5], 2)", [[1, 2], [3, 4], [5]]),
        ("$range(1, 9, 9)", 1),
        ("$range(0, 1, 0.5)", [0, 0.5, 1]),
        ("$parse('{\"a\": [1]}')", {"a": [1]}),
        ("$hash('input', 'MD5')", "a43c1b0aa53a0c908810c06ab1ff3967"),
        ("$exists($no)", False),
        ("$millis()", 1_767_225_600_000),
        ("$now()", "2026-01-01T00:00:00.000Z"),
        ("$states.context.State.Name", "Only"),
        ("[]", []),
    ],
)
def test_an_expression_yields_what_it_says(expression: str, value: Any) -> None:
    done = jsonata(expression, GIVEN)

    assert (done.cause, done.output) == (None, value)


@pytest.mark.parametrize(
    "expression",
    [
        "$states.*.State.Name",
        "$states . ** .State.Name",
        "$states.input.%.*.State.Name",
        "($s := $states; $s.*.State.Name)",
    ],
)
def test_the_context_object_is_there_also_for_expressions_that_do_not_name_it(expression: str) -> None:
    assert jsonata(expression, GIVEN).output == "Only"


def test_chance_follows_from_the_seed() -> None:
    expression = "[$random(), $uuid(), $random(5)]"

    first, again, other = jsonata(expression), jsonata(expression), jsonata(expression, seed=9)

    assert first.output == again.output
    assert first.output[:2] != other.output[:2]
    assert first.output[2] == other.output[2]
    assert 0 <= first.output[0] < 1


@pytest.mark.parametrize(
    ("seed", "number"), [("42", 0.7275636800328681), ("0", 0.730967787376657), ("42.0", 0.7275636800328681)]
)
def test_a_random_number_with_a_seed_is_the_first_of_javas_generator(seed: str, number: float) -> None:
    assert jsonata(f"$random({seed})").output == number


def test_the_seed_of_a_random_number_is_a_number() -> None:
    assert "the seed of a random number must be a number" in str(jsonata("$random('x')").cause)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("$states.input.no", "returned nothing (undefined)."),
        ("$no", "returned nothing (undefined)."),
        ("$states.input.none.x", "returned nothing (undefined)."),
        ("$noSuchFunction(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$eval('1')", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("1 + 'a'", "threw an error during evaluation. T2002"),
        ("function($x){$x}", "returned an unsupported result type."),
    ],
)
def test_what_goes_wrong_is_a_queryevaluationerror_that_names_the_field(expression: str, words: str) -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"k": "{% " + expression + " %}"}}

    done = run_state(state, GIVEN)

    assert (done.status, done.error) == ("FAILED", "States.QueryEvaluationError")
    assert f"The JSONata expression '{expression}' specified for the field 'Output/k' {words}" in str(done.cause)


@pytest.mark.parametrize(
    "expression",
    ["$states.input.n(1)", "'secret'(1)", "$map([1], function($v) { $v(1) })", "(function($v) { $v(1) })(2)"],
)
def test_a_value_that_is_called_as_a_function_is_an_error_and_is_not_printed(
    expression: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "T1006: Attempted to invoke a non-function" in str(jsonata(expression, GIVEN).cause)
    assert capfd.readouterr() == ("", "")


def test_a_queryevaluationerror_can_be_caught() -> None:
    state: dict[str, Any] = {"Type": "Task", "Resource": "Work", "QueryLanguage": "JSONata", "Arguments": "{% $no %}"}
    state["Catch"] = [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "caught", "Next": "After"}]
    done = run_states({"Only": {**state, "End": True}, "After": {"Type": "Pass", "End": True}})

    assert done.output == "caught"


def test_only_a_whole_expression_is_one() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": [" {% 1 %}", "$.x", {"a": {"b": ["{% 1 %}"]}}, None]}

    assert run_state(state).output == [" {% 1 %}", "$.x", {"a": {"b": [1]}}, None]


def test_a_failed_evaluation_is_an_event_of_the_history_with_its_place() -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": "Work",
            "Arguments": {"x": "{% $no %}"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $nor %}", "Next": "After"}],
            "End": True,
        },
        "After": {"Type": "Succeed"},
    }

    failed = [
        event["evaluationFailedEventDetails"]["location"]
        for event in run_states(states, language="JSONata").events
        if event["type"] == "EvaluationFailed"
    ]

    assert failed == ["Arguments/x", "Output"]
    assert "EvaluationFailed" not in {event["type"] for event in run_state({"Type": "Fail", "Error": "E"}).events}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("Seconds", "{% 'one' %}", "Expected 'number', but was 'string' for value: \"one\""),
        ("Seconds", "{% -1 %}", "cannot be parsed as a non-negative integer: -1"),
        ("Timestamp", "{% 5 %}", "Expected 'string', but was 'number' for value: 5"),
        ("Timestamp", "{% 'soon' %}", "ISO-8601 extended offset date-time format string: soon"),
    ],
)
def test_an_expression_of_another_type_than_the_field_says_what_it_yielded(field: str, value: str, words: str) -> None:
    done = run_state({"Type": "Wait", "QueryLanguage": "JSONata", field: value})

    assert done.error == "States.QueryEvaluationError"
    assert words in str(done.cause)


def test_an_expression_that_is_not_jsonata_is_refused_with_its_place() -> None:
    with pytest.raises(DefinitionInvalid) as invalid:
        run_state({"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"a": [{"b": "{% 1 + %}"}]}})

    assert invalid.value.faults[0].path == "States.Only.Output.a[0].b"


def test_each_expression_that_cannot_be_read_is_reported_at_its_place() -> None:
    assign = {"v": "{% 1 %}", "w": ["{% 2 %}", "{% foo %}"], "a/b": {"c": "{% $states.result %}"}, "x": "{% $$ %}"}
    catch = [{"ErrorEquals": ["E"], "Next": "One", "Output": ["{% $states.errorOutput %}", "{% bar %}"]}]
    task = {"Type": "Task", "Resource": "x", "Arguments": assign, "Catch": catch, "End": True}

    assert places(only(task, QueryLanguage="JSONata")) == [
        "States.One.Arguments.w[1]",
        "States.One.Arguments.a/b.c",
        "States.One.Arguments.x",
        "States.One.Catch[0].Output[1]",
    ]


def test_a_missing_function_is_reported_where_it_is_called() -> None:
    warnings = parse(only({**END, "Output": {"a": ["{% $nun() %}"]}}, QueryLanguage="JSONata")).warnings

    assert [fault.path for fault in warnings if fault.code == "UNKNOWN_FUNCTION"] == ["States.One.Output.a[0]"]
