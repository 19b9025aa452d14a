"""The same function in Python: it reads the object in $BUCKET and $KEY."""
import os

import boto3


def handle(event, context):
    answer = boto3.client("s3").get_object(Bucket=os.environ["BUCKET"], Key=os.environ["KEY"])
    return answer["Body"].read().decode()
