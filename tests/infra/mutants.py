"""Mutants of the template: every property of every resource that matters, deleted in turn, however deep it stands."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

#: The kinds of resources whose every property is deleted. OpenAPI's own inside is compared with the contract as a
#: whole, so of that document only what AWS alone reads is mutated.
KINDS = (
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SNS::Subscription",
    "AWS::IAM::Role",
    "AWS::IAM::Policy",
    "AWS::StepFunctions::StateMachine",
    "AWS::AppSync::Resolver",
    "AWS::AppSync::DataSource",
    "AWS::AppSync::GraphQLApi",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Version",
    "AWS::XRay::SamplingRule",
    "AWS::Lambda::Alias",
    "AWS::StepFunctions::StateMachineVersion",
    "AWS::StepFunctions::StateMachineAlias",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::DynamoDB::Table",
    "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPool",
)


class Mutant(NamedTuple):
    """What was deleted, as a path, and what is left."""

    path: tuple[str | int, ...]
    template: Any


def mutants(template: Any) -> Iterator[Mutant]:
    """Each differs from the template by one deletion. They share what they do not differ in: do not alter them."""
    for key, resource in template["Resources"].items():
        if resource["Type"] in KINDS:
            for path in paths(resource["Properties"]):
                yield Mutant((key, *path), without(template, ("Resources", key, "Properties", *path)))


def paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Every key and every list's item below the value. References are whole."""
    inner: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict) and not (len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for key, it in inner:
        yield (key,)
        yield from ((key, *path) for path in paths(it))


def without(value: Any, path: tuple[str | int, ...]) -> Any:
    """The value without what stands at the path; everything beside the path is shared."""
    first, *rest = path
    changed = copy.copy(value)
    if rest:
        changed[first] = without(value[first], tuple(rest))
    else:
        del changed[first]
    return changed
