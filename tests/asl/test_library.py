"""The library as others use it: alone, with what it needs itself and nothing of the server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import expediter
from expediter import asl

ROOT = Path(__file__).resolve().parents[2]
#: Packages that are imported under another name than theirs.
_NAMED = {
    "google-re2": "re2",
    "graphql-core": "graphql",
    "jsonata-python": "jsonata",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
}
#: What JSONata and regular expressions need.
LATER = ["jsonata", "re2"]


def dependencies() -> set[str]:
    """What the project depends on, by the names under which it is imported."""
    listed = (ROOT / "pyproject.toml").read_text().partition("dependencies = [")[2].partition("\n]")[0]
    return {_NAMED.get(name, name.replace("-", "_")) for name in re.findall(r'^  "([\w-]+)', listed, re.MULTILINE)}


#: What only the server needs.
SERVER = sorted(dependencies() - {*LATER, "msgspec"})

_USE = """
import sys
for name in {missing}:
    sys.modules[name] = None  # as if it were not installed
from expediter.asl import run_state, simulate
pay = {{"StartAt": "Pay", "States": {{"Pay": {{"Type": "Task", "Resource": "Bank", "End": True}}}}}}
assert simulate(pay, mocks={{"Bank": [{{"result": 1}}]}}).output == 1
assert run_state({{"definition": {{"Type": "Pass", "End": True}}, "input": 2}})["output"] == 2
{more}
ours = [name for name in sys.modules if name.startswith("expediter.") and not name.startswith("expediter.asl")]
assert ours == [], ours
"""
_JSONATA = """
done = simulate({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {
    "Type": "Pass", "Output": "{% $replace($states.input, /a+/, 'b') %}", "End": True}}}, "caat")
assert done.output == "cbt", done
"""


@pytest.mark.parametrize(("missing", "more"), [(SERVER, _JSONATA), ([*SERVER, *LATER], "")])
def test_it_runs_where_only_what_it_needs_is_installed_and_loads_nothing_else_of_ours(
    missing: list[str], more: str
) -> None:
    program = _USE.format(missing=missing, more=more)
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


_PLAIN = """
import sys
from expediter.asl import Started, advance, new_execution, parse
machine = parse({{"StartAt": "Pay", "States": {{"Pay": {{"Type": "Task", "Resource": "Bank", "End": True}}}}}})
advance(machine, new_execution(), Started(at=0, seed=1, input=None))
print([name for name in {later} if name in sys.modules])
"""


def test_what_only_some_workflows_need_is_loaded_by_them() -> None:
    ours = "states.map_ states.choice expressions.intrinsics expressions.path_filter teststate cases simulation"
    later = [*LATER, "hashlib", "difflib", *(f"expediter.asl.{name}" for name in ours.split())]
    program = _PLAIN.format(later=later)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout == "[]\n"


def test_every_public_name_is_there_and_it_is_typed() -> None:
    assert [name for name in asl.__all__ if not hasattr(asl, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = asl.nothing  # type: ignore[attr-defined]
    assert Path(expediter.__file__).with_name("py.typed").exists()
