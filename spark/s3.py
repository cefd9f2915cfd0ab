"""How Spark reaches S3, said as to all other parts of this project:

    S3_ENDPOINT      address of the S3; unset: AWS
    S3_REGION        default us-east-1
    S3_PATH_STYLE    on, off, or auto (the default): on where there is an S3_ENDPOINT
    S3A_JARS         folder of the jars that spark/hadoop/s3a/pom.xml names

The key is in AWS's own variables, or in a file that those name (KEY).
"""

from __future__ import annotations

import os

KEY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_PROFILE",
)


def _credentials() -> str:
    """Who knows the key. Hadoop's provider of files does not do without one, so it cannot simply be asked second."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"
    if os.path.exists(
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE", os.path.expanduser("~/.aws/credentials"))
    ):
        return "org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider"
    return "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"


def s3_settings() -> dict[str, str]:
    """Settings of Spark for addresses of S3; none where its jars are not. The key is not among them."""
    jars = os.environ.get("S3A_JARS")
    if not jars or not os.path.isdir(jars):
        return {}
    endpoint = os.environ.get("S3_ENDPOINT", "")
    path_style = os.environ.get("S3_PATH_STYLE", "auto")
    s3a = {
        "endpoint.region": os.environ.get("S3_REGION", "us-east-1"),
        "path.style.access": str(path_style == "on" or (path_style == "auto" and bool(endpoint))).lower(),
        "connection.ssl.enabled": str(not endpoint.startswith("http://")).lower(),
        "aws.credentials.provider": _credentials(),
        # Finished files appear at once, without a copy: S3 cannot rename.
        "committer.name": "magic",
    }
    if endpoint:
        s3a["endpoint"] = endpoint
    cloud = "org.apache.spark.internal.io.cloud"
    return {
        **{f"spark.hadoop.fs.s3a.{name}": value for name, value in s3a.items()},
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
        "spark.sql.sources.commitProtocolClass": f"{cloud}.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": f"{cloud}.BindingParquetOutputCommitter",
        "spark.driver.extraClassPath": f"{jars}/*",
        "spark.executor.extraClassPath": f"{jars}/*",
    }
