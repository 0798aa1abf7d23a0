"""Facts about releases: what is called is a version or an alias, and what was released before stays."""

from typing import Any

from expediter.aws.functions.table import FUNCTIONS, OTHER_FUNCTIONS
from tests.infra.reading import Template, function, get, live, named, only, resources, settings, tags, version


def every_function_has_a_version_that_stays_and_each_but_a_task_an_alias(template: Template) -> None:
    assert len(resources(template, "AWS::Lambda::Version")) == len(FUNCTIONS)
    for name in FUNCTIONS:
        key = version(template, name)[0]
        resource = template["Resources"][key]
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name
    assert len(resources(template, "AWS::Lambda::Alias")) == len(OTHER_FUNCTIONS)
    for name in OTHER_FUNCTIONS:
        alias = resources(template, "AWS::Lambda::Alias")[live(template, name)["Ref"]]
        assert alias["FunctionName"] == {"Ref": function(template, name)[0]}
        assert (alias["FunctionVersion"], alias["Name"]) == (get(version(template, name)[0], "Version"), "live")


def another_value_of_a_parameter_makes_a_new_version(template: Template) -> None:
    """Nothing else of the template differs then, and a version keeps the settings that it was published with."""
    for name in FUNCTIONS:
        told = {it for it in settings(template, name).values() if it.strip("<>") in template["Parameters"]}
        said = version(template, name)[1].get("Description", "")
        parts = said["Fn::Join"][1] if "Fn::Join" in said else [said] if said else []
        assert {f"<{part['Ref']}>" for part in parts if part != " "} == told, name
        assert sum(template["Parameters"][it.strip("<>")]["MaxLength"] + 1 for it in told) <= 256, "a description ends"


def orders_start_by_an_alias_of_a_version_of_the_state_machine_that_stays(template: Template) -> None:
    machine = named(template, "AWS::StepFunctions::StateMachine", "WorkflowOrders")[0]
    key, made = named(template, "AWS::StepFunctions::StateMachineVersion", "WorkflowVersion")
    assert made == {
        "StateMachineArn": {"Ref": machine},
        "StateMachineRevisionId": get(machine, "StateMachineRevisionId"),
    }
    resource = template["Resources"][key]
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    alias = only(template, "AWS::StepFunctions::StateMachineAlias")
    assert alias["Name"] == "live"
    assert alias["DeploymentPreference"]["StateMachineVersionArn"] == get(key)


def codedeploy_moves_every_alias_of_a_function(template: Template) -> None:
    application = {"Ref": named(template, "AWS::CodeDeploy::Application", "ReleaseFunctions")[0]}
    assert only(template, "AWS::CodeDeploy::Application") == {"ComputePlatform": "Lambda", **tags()}
    assert len(resources(template, "AWS::CodeDeploy::DeploymentGroup")) == len(OTHER_FUNCTIONS)
    role = get(named(template, "AWS::IAM::Role", "ReleaseRole")[0])
    for name in OTHER_FUNCTIONS:
        key, group = named(template, "AWS::CodeDeploy::DeploymentGroup", f"Release{name}")
        assert (group["ApplicationName"], group["ServiceRoleArn"]) == (application, role)
        assert group["DeploymentStyle"] == {
            "DeploymentOption": "WITH_TRAFFIC_CONTROL",
            "DeploymentType": "BLUE_GREEN",
        }
        moved = template["Resources"][live(template, name)["Ref"]]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert moved == {"ApplicationName": application, "DeploymentGroupName": {"Ref": key}}


def a_release_of_this_stage_goes_live_at_once(template: Template) -> None:
    assert pace_of_orders(template) == {"Type": "ALL_AT_ONCE"}
    for group in resources(template, "AWS::CodeDeploy::DeploymentGroup").values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
        assert "AlarmConfiguration" not in group
        assert group["AutoRollbackConfiguration"] == {"Enabled": True, "Events": ["DEPLOYMENT_FAILURE"]}


def pace_of_orders(template: Template) -> Any:
    preference = only(template, "AWS::StepFunctions::StateMachineAlias")["DeploymentPreference"]
    return {name: it for name, it in preference.items() if name != "StateMachineVersionArn"}


RELEASE = (
    every_function_has_a_version_that_stays_and_each_but_a_task_an_alias,
    another_value_of_a_parameter_makes_a_new_version,
    orders_start_by_an_alias_of_a_version_of_the_state_machine_that_stays,
    codedeploy_moves_every_alias_of_a_function,
    a_release_of_this_stage_goes_live_at_once,
)
