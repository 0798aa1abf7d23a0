"""The APIs on AWS: REST and GraphQL."""
