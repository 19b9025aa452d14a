import json
import os
import time

import boto3

_bucket, _key = os.environ["BUCKET_NAME"], os.environ["FILE_KEY"]


def _read(client):
    return client.get_object(Bucket=_bucket, Key=_key)["Body"].read()


def _timed(client):
    start = time.perf_counter()
    _read(client)
    return int((time.perf_counter() - start) * 1e6)


def handler(event, context):
    n = event.get("measure", 0)
    if n:
        warm = boto3.client("s3")
        _read(warm)
        return {
            "cold": [_timed(boto3.client("s3")) for _ in range(n)],
            "warm": [_timed(warm) for _ in range(n)],
        }
    try:
        content = json.loads(_read(boto3.client("s3")))
        return {"statusCode": 200, "body": json.dumps({"message": "Successfully read metadata file", "content": content})}
    except Exception as error:
        return {"statusCode": 500, "body": json.dumps({"message": "Error reading metadata file", "error": str(error)})}
