import json
import os
import time

import boto3
from botocore.config import Config

_bucket, _key = os.environ["BUCKET_NAME"], os.environ["FILE_KEY"]
_warm = boto3.client("s3")


def _read(client):
    return client.get_object(Bucket=_bucket, Key=_key)["Body"].read()


def _timed(client):
    start = time.perf_counter()
    _read(client)
    return int((time.perf_counter() - start) * 1e6)


def handler(event, context):
    n = event.get("measure", 0)
    if n:
        _read(_warm)
        return {
            "cold": [_timed(boto3.client("s3", config=Config(max_pool_connections=1))) for _ in range(n)],
            "warm": [_timed(_warm) for _ in range(n)],
        }
    try:
        content = json.loads(_read(_warm))
        return {"statusCode": 200, "body": json.dumps({"message": "Successfully read metadata file", "content": content})}
    except Exception as error:
        return {"statusCode": 500, "body": json.dumps({"message": "Error reading metadata file", "error": str(error)})}
