"""The stores on DynamoDB and SQS: orders, claims, the queue and its dead letters."""
