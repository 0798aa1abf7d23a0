"""Adds the user's verified address to the access tokens that Cognito makes: it tells where the mail of an order goes.

Cognito calls this function before it makes tokens. Without it only ID tokens have the address, and APIs take access
tokens. https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from expediter.asl.protocol import Json


def handler(event: Json, _: object) -> Json:
    """The event with the claims to add. A user whose address is not verified gets none."""
    attributes = event["request"]["userAttributes"]
    if attributes.get("email_verified") == "true":
        claims = {"email": attributes["email"], "email_verified": "true"}
        event["response"] = {
            "claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"claimsToAddOrOverride": claims}}
        }
    return event
