"""Writes rules of a Choice in a few characters, for the edges of a workflow's picture."""

import json
from typing import Any

_LONGEST = 30
#: The operators as signs or words. The type that they compare is in the definition.
_SIGNS = {
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "LessThan": "<",
    "GreaterThan": ">",
    "Equals": "=",
    "Matches": "matches",
}


def rule_text(rule: dict[str, Any]) -> str:
    """``payment.status = ok``; too long is cut."""
    text = _text(rule)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(rule: dict[str, Any]) -> str:
    if "Condition" in rule:
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    for word, joint in (("And", " and "), ("Or", " or ")):
        if word in rule:
            return joint.join(_text(part) for part in rule[word])
    if "Not" in rule:
        return f"not {_text(rule['Not'])}"
    variable = str(rule.get("Variable", "")).removeprefix("$.")
    for operator, value in rule.items():
        if operator.startswith("Is"):
            return f"{variable} is {'' if value else 'not '}{operator.removeprefix('Is').lower()}"
        sign = next((sign for name, sign in _SIGNS.items() if operator.removesuffix("Path").endswith(name)), None)
        if sign is not None:
            shown = value.removeprefix("$.") if isinstance(value, str) else json.dumps(value)
            return f"{variable} {sign} {shown}"
    return variable
