"""The second home: the same ports on DynamoDB, SQS, Step Functions, SNS and SES, and the functions that use them."""
