"""AWS on loopback: SES v2, S3, SNS, SQS and an SMTP door, with scripted faults."""
