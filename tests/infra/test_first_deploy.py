"""The page about the first deployment names what the synthesised stack really asks for."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs/how-to/aws-first-deploy.md").read_text(encoding="utf-8")
#: Rows of the page's tables whose first cell is a name in code.
ROWS = dict(re.findall(r"^\| `([^`|]+)` \| (.*) \|$", PAGE, re.MULTILINE))


def properties(template: Any, kind: str) -> Iterator[Any]:
    return (it["Properties"] for it in template["Resources"].values() if it["Type"] == kind)


def services(template: Any) -> Counter[str]:
    """How often each service of AWS is let in: by a role, a function's permission or a resource's policy."""
    found = Counter[str](it["Principal"] for it in properties(template, "AWS::Lambda::Permission"))
    policies = [it["AssumeRolePolicyDocument"] for it in properties(template, "AWS::IAM::Role")]
    for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        policies += [it["PolicyDocument"] for it in properties(template, kind)]
    for statement in (it for policy in policies for it in policy["Statement"]):
        principal = statement["Principal"]
        if statement["Effect"] == "Allow":
            assert principal.keys() == {"Service"}, principal
            found[principal["Service"]] += 1
        else:
            assert principal in ("*", {"AWS": "*"}), principal
    return found


def test_every_parameter_is_named_with_its_default(template: Any) -> None:
    asked = {name: it for name, it in template["Parameters"].items() if name != "BootstrapVersion"}
    told = {name: ROWS[name].split(" | ")[0] for name in asked}
    assert told == {name: _default(it) for name, it in asked.items()}


def test_the_page_about_deploying_names_every_parameter_too(template: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/aws-deploy.md").read_text(encoding="utf-8")
    assert [name for name in template["Parameters"] if name != "BootstrapVersion" and f"`{name}`" not in page] == []


def _default(parameter: Any) -> str:
    if "Default" not in parameter:
        return "must be given"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"


def test_only_the_operators_address_has_no_default(template: Any) -> None:
    assert [name for name, it in template["Parameters"].items() if "Default" not in it] == ["Email"]


def test_the_version_of_the_bootstrap_is_the_one_that_the_stack_wants(template: Any) -> None:
    (rule,) = template["Rules"].values()
    (told,) = rule["Assertions"]
    assert told["AssertDescription"].partition(".")[0] in " ".join(PAGE.split())
    assert template["Parameters"]["BootstrapVersion"]["Default"] in PAGE


def test_every_service_that_is_let_in_is_named_and_counted(template: Any) -> None:
    told = {name: int(cells.split(" | ")[-1]) for name, cells in ROWS.items() if name.endswith(".amazonaws.com")}
    assert told == services(template)


def test_every_managed_policy_is_named(template: Any) -> None:
    given = json.dumps([it.get("ManagedPolicyArns", []) for it in properties(template, "AWS::IAM::Role")])
    policies = set(re.findall(r':iam::aws:policy/(?:service-role/)?(\w+)"', given))
    assert policies == {name for name in ROWS if name.startswith(("AWS", "Amazon"))}


def test_the_mails_to_confirm_are_counted(template: Any) -> None:
    mails = [it for it in properties(template, "AWS::SNS::Subscription") if it["Protocol"] == "email"]
    assert len(mails) == 2
    assert "Two mails ask you to confirm a subscription" in PAGE


def test_there_are_no_security_group_changes(template: Any) -> None:
    assert not list(properties(template, "AWS::EC2::SecurityGroup"))
    assert "no security group changes" in PAGE


def test_a_new_account_needs_no_capability_but_that_of_making_roles(template: Any) -> None:
    """The CDK gives CAPABILITY_IAM by itself; a macro would need CAPABILITY_AUTO_EXPAND."""
    assert "Transform" not in template
