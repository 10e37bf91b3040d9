"""The only importers of boto3; ClientError is mapped to our errors here."""
