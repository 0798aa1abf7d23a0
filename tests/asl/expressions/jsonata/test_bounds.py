"""No expression takes for ever, whatever it says and whatever it is given."""

import re
import subprocess
import sys
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, simulate
from expediter.asl.expressions.jsonata.limits import SIZE
from tests.asl.helpers import jsonata, run_state, run_states

STEPS = "D1012: The evaluation takes more than 10000 steps"
DEPTH = "D1011: Expressions are evaluated inside each other more than 300 deep"
NESTED = "D1011: A value is nested too deep"
LARGE = "D2014: A value has more than 262144 bytes"

TEXT = "a" * 150_000
GIVEN: dict[str, Any] = {
    "text": TEXT,
    "numbers": list(range(30_000)),
    "texts": [f"x{number}" for number in range(8_000)],
    "pairs": [[number, [number]] for number in range(8_000)],
    "nothing": [[0, [0]] for _ in range(8_000)],
    "objects": [{"k": number % 7, "v": number} for number in range(3_000)],
}
#: Name, expression, input, what the error says.
HOSTILE: list[tuple[str, str, str]] = [
    ("a range of a million and a half", "$sum([1..1500000])", LARGE),
    ("the longest range that the library allows", "[1..9999999]", STEPS),
    ("a range of more than a state holds", "$count([1..300000])", LARGE),
    ("padding to two billion", "$pad('a', 2000000000)", LARGE),
    ("padding to the left", "$pad('a', -2000000000)", LARGE),
    ("padding again and again", "$map([1..1000], function($v) { $pad('a', 200000) })", STEPS),
    ("a text that doubles", "$reduce([1..100], function($a, $b) { $a & $a }, 'aaaaaaaa')", LARGE),
    ("an object that doubles", "$reduce([1..60], function($a, $b) { {'l': $a, 'r': $a} }, 1)", STEPS),
    ("an array that doubles", "$reduce([1..60], function($a, $b) { [[$a], [$a]] }, 1)", STEPS),
    ("an array inside an array inside an array", "$reduce([1..5000], function($a, $b) { [[$a]] }, 1)", STEPS),
    ("a change that puts a value inside itself", "$states.input ~> |$|{'self': $}|", NESTED),
    ("joining with a long separator", "$join($states.input.texts, $states.input.text)", LARGE),
    ("replacing each letter by a long text", "$replace($states.input.text, 'a', $states.input.text)", STEPS),
    ("the same with a regular expression", "$replace($states.input.text, /a/, $states.input.text)", LARGE),
    ("endless recursion", "($f := function($n) { 1 + $f($n + 1) }; $f(0))", DEPTH),
    ("endless tail recursion", "($f := function($n) { $f($n + 1) }; $f(0))", STEPS),
    ("endless recursion through $map", "($f := function($x) { $map([$x], $f) }; $f(1))", DEPTH),
    ("a slow function to sort by", "$sort($states.input.numbers, function($a, $b) { $a > $b })", STEPS),
    ("sorting by two fields", "$states.input.objects^(>k, v)", STEPS),
    ("sorting a long array", "$sort($states.input.numbers)", STEPS),
    ("each member compared with each other", "$distinct($states.input.numbers)", "="),
    ("each member looked for among all", "$states.input.numbers[$ in $states.input.numbers]", STEPS),
    ("large values compared often", "[1..2000].($states.input.pairs = $states.input.pairs)", STEPS),
    ("large values tested often", "[1..3000][$states.input.nothing]", STEPS),
    ("large values tested by $filter", "$filter([1..3000], function($v) { $states.input.nothing })", STEPS),
    ("large values written often", "[1..2000].$string($states.input.pairs)", STEPS),
    ("large arrays copied often", "$reduce([1..5000], function($a, $b) { $append($a, $b) })", STEPS),
    ("objects grouped by one name", "[1..30000]{'a': $}", STEPS),
    ("objects grouped by as many names", "$states.input.numbers{$string($): $}", STEPS),
    ("every pair of two long arrays", "$states.input.objects@$o.$states.input.objects@$p.{'a': $o.v}", STEPS),
    ("a function of the library for each member", "$map($states.input.texts, $uppercase)", STEPS),
    ("a function of AWS for each member", "$map($states.input.numbers, $uuid)", STEPS),
    ("spreading many objects", "$spread($states.input.objects)", "="),
    ("all descendants of all descendants", "$states.input.pairs.**.**", STEPS),
    ("a regular expression that finds its way in many ways", "$match($states.input.text & '!', /^(a+)+$/)", "="),
    ("a regular expression that looks ahead from each letter", "$match($states.input.text, /a.*b|a/)", STEPS),
    ("the same in $replace", "$replace($states.input.text, /a.*b|a/, 'x')", STEPS),
    ("the same in $split", "$split($states.input.text, /a.*b|a/)", STEPS),
    ("a regular expression with many states", "$contains($states.input.text, /(?:a?){400}b/)", STEPS),
    ("a picture of many digits", "$formatNumber(1, $pad('0', 200000, '0'))", "D3137: The picture of $formatNumber"),
    ("an option that is a regular expression", "$formatNumber(5, '0e0', {'exponent-separator': '(a+)+'})", "D3137"),
    ("a number with many Roman thousands", "$formatInteger(1000000000000, 'I')", "D3137: The number is too large"),
    ("a number with many words", "$formatInteger($power(10, 300), 'w')", "D3137: The number is too large"),
    ("a year of a billion digits", "$fromMillis(0, '[Y,1000000000]')", "D3137: The component [Y,1000000000]"),
    ("the same of $now", "$now('[Y,1000000000]')", "D3137: The component [Y,1000000000]"),
    ("a picture that is a regular expression", "$toMillis($pad('a', 60, 'a') & '!', '(a+)+$')", "D3137: Only letters"),
    (
        "a picture without places",
        "$toMillis($pad('1', 99, '1'), '[f][W][d][x][w][X]')",
        "D3137: A picture of $toMillis",
    ),
    ("a long text to read", "$parseInteger($states.input.text, 'w')", "D3137: The text of $parseInteger"),
    ("an integer of a million bits", "$number('0x' & $states.input.text)", "int too large"),
    ("evaluating a text", "$eval('[1..9999999]')", "T1006: Attempted to invoke a non-function"),
]


@pytest.mark.parametrize(("expression", "words"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_hostile_expression_ends_as_a_failed_evaluation_or_at_once(expression: str, words: str) -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"found": "{% " + expression + " %}"}, "Output": 1}
    # The parts of the input that the expression names: all of it would be more than a state may have.
    given = {name: value for name, value in GIVEN.items() if re.search(rf"\.{name}\b", expression)} or {
        "text": "a",
        "list": [1],
    }

    done = run_state(state, given)

    if words == "=":
        assert done.error in {None, "States.QueryEvaluationError"}
    else:
        assert (done.status, done.error) == ("FAILED", "States.QueryEvaluationError")
        assert words in str(done.cause)


def test_a_failed_evaluation_of_this_kind_can_be_caught() -> None:
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "caught", "Next": "After"}]
    task = {"Type": "Task", "Resource": "Work", "Arguments": "{% $sum([1..1500000]) %}", "Catch": catch, "End": True}
    states = {"Only": {**task, "QueryLanguage": "JSONata"}, "After": {"Type": "Pass", "End": True}}

    assert simulate({"StartAt": "Only", "States": states}, {}).output == "caught"


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("$match('a', /a(?=b)/)", "has a lookahead (?=…)"),
        ("$match('a', /a(?!b)/)", "has a negative lookahead (?!…)"),
        ("$match('a', /(?<=b)a/)", "has a lookbehind (?<=…)"),
        ("$match('a', /(?<!b)a/)", "has a negative lookbehind (?<!…)"),
        (r"$match('a', /(a)\1/)", r"has a reference back to a group, as \1"),
        (r"$match('a', /(?<n>a)\k<n>/)", r"has a reference back to a group, as \k<name>"),
        ("$match('a', /((a{30}){30}){30}/)", "/((a{30}){30}){30}/"),
        ("$match('a', /a{1001}/)", "invalid repetition size: {1001}"),
        ("$match('a', /a**/)", "the regular expression /a**/ has a fault"),
        ("(" * 5_000 + "1" + ")" * 5_000, "not JSONata"),
        ("1" + " " * 40_000 + "+ 1", "an expression has at most 32768 characters"),
    ],
)
def test_what_cannot_run_in_linear_time_is_refused_when_it_is_loaded(expression: str, named: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        jsonata(expression)

    (fault,) = refused.value.faults
    assert named in fault.message
    assert fault.path == "States.Only.Output"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (r"$match('Abc 12', /([a-z]+) (\d+)/i).groups", ["Abc", "12"]),
        ("$match('ab\nab', /^a/m).index", [0, 3]),
        (r"$contains('Zürich', /[\u00fc]/)", True),
        (r"$split('2026-01/02', /[-\/]/)", ["2026", "01", "02"]),
        ("$replace('John Smith', /(\\w+)\\s(\\w+)/, '$2, $1 $$ $0 $7')", "Smith, John $ John Smith "),
        ("$replace('265USD', /([0-9]+)USD/, '$$$1')", "$265"),
        ("$replace('abracadabra', 'a', '*', 3)", "*br*c*dabra"),
        ("$replace('aaa', /a/, 'ba', 2)", "baba" + "a"),
        ("$replace('ab12', /[0-9]+/, function($m) { $string($number($m.match) * 2) })", "ab24"),
        ("$distinct([1, true, 1.0, '1', true, {'a': 1, 'b': 2}, {'b': 2, 'a': 1}, [1], [1]])", None),
        ("[1, 2, 3, 4][$ > 2]", [3, 4]),
        ("['a', 'b', 'c'][[0, -1]]", ["a", "c"]),
        ("['a', 'b', 'c'][-1]", "c"),
        ("[[1, 2], 3, [1..3]]", [[1, 2], 3, [1, 2, 3]]),
        ("$toMillis('2026-01-02', '[Y0001]-[M01]-[D01]')", 1_767_312_000_000),
        ("$fromMillis(0, '[D1] [MNn] [Y]')", "1 January 1970"),
        ("$count($distinct($shuffle([1..20])))", 20),
        ("$sum([1..2000])", 2_001_000),
        ("$length($pad('', 262144))", 262_144),
    ],
)
def test_ordinary_work_is_done_as_before(expression: str, value: Any) -> None:
    done = jsonata(expression)

    assert done.cause is None
    assert done.output == (value if value is not None else [1, True, "1", {"a": 1, "b": 2}, [1]])


def test_what_an_expression_finds_is_as_large_as_a_state_and_no_larger() -> None:
    fits, larger = jsonata(f"$length($pad('a', {SIZE}))"), jsonata(f"$length($pad('a', {SIZE}) & 'b')")

    assert (fits.output, larger.error) == (SIZE, "States.QueryEvaluationError")


def test_chance_in_an_expression_follows_from_the_seed() -> None:
    first, again, other = (jsonata("$shuffle([1..30])", seed=seed).output for seed in (1, 1, 2))

    assert first == again != other


def test_the_evaluations_of_one_event_have_a_limit_together() -> None:
    each = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $count([1..1500].($ * 2)) %}", "End": True}
    loop = {"Type": "Map", "ItemProcessor": {"StartAt": "Each", "States": {"Each": each}}}

    few, many = run_state(loop, [1] * 10), run_state(loop, [1] * 1_000)

    assert few.output == [1500] * 10
    assert many.error == "States.QueryEvaluationError"
    assert "The evaluations for one event take more than 100000 steps together" in str(many.cause)


def test_what_waits_in_between_is_another_event() -> None:
    states = {
        "Work": {"Type": "Pass", "Output": "{% $count([1..1500].($ * 2)) %}", "Next": "Rest"},
        "Rest": {"Type": "Wait", "Seconds": 1, "Next": "Again"},
        "Again": {"Type": "Choice", "Choices": [{"Condition": "{% $turn > 20 %}", "Next": "End"}], "Default": "Count"},
        "Count": {"Type": "Pass", "Assign": {"turn": "{% $turn + 1 %}"}, "Next": "Work"},
        "End": {"Type": "Succeed"},
    }
    first = {"Begin": {"Type": "Pass", "Assign": {"turn": 1}, "Next": "Work"}}

    assert run_states({**first, **states}, language="JSONata").status == "SUCCEEDED"


_LIMIT = """
import sys
before = sys.getrecursionlimit()
from expediter.asl import DefinitionInvalid, parse, simulate
deep = "($f := function($x) { $map([$x], function($y) { $f($y) }) }; $f(1))"
def state(text):
    return {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "Output": text, "End": True}}}
print(simulate(state("{% " + deep + " %}")).cause.partition("evaluation. ")[2][:5])
print(simulate(state("{% $states.input.a %}"), {"a": 1}).output)
try:
    parse(state("{% 1 + %}"))
except DefinitionInvalid:
    print(before == sys.getrecursionlimit())
"""


def test_the_process_keeps_its_own_limit_of_recursion() -> None:
    done = subprocess.run([sys.executable, "-c", _LIMIT], check=True, capture_output=True, text=True)

    assert done.stdout.split("\n") == ["D1011", "1", "True", ""]
