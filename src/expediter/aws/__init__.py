"""The ports on AWS (DynamoDB, SQS, Step Functions, SNS and SES), and the Lambda functions that use them."""
