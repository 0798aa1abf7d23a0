"""What is kept on AWS: orders, claims, the queue and its dead letters, on DynamoDB and SQS."""
