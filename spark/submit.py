"""Hands a job to YARN in cluster mode and returns when YARN has taken it:

    python submit.py --tag TAG SCRIPT [ARG…]

The driver runs on the cluster, so nothing here has to outlive it. Whoever follows it finds it by its tag; what it came to,
it leaves in the lake (outcome.py). Environment: that of session.py and s3.py, and
    HADOOP_CONF_DIR        where HDFS and YARN are
    SPARK_EXECUTORS        default 1
    SPARK_EXECUTOR_MEMORY  default 1g
    SPARK_EXECUTOR_CORES   default 2
    SPARK_NODE_PYTHON      a Python on every node, with the packages of ml/requirements.lock; default: the one that runs this
    SPARK_NODE_JARS        Spark's jars on every node; default: those of this pyspark
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "ml"))

import pyspark
from archive import archive_code
from common.protocol import JobError, log, result, run_job
from outcome import TAG
from s3 import KEY, s3_settings

_SPARK = Path(__file__).resolve().parent
# What driver and executors get of this environment: the key of S3, and which address is theirs.
_EVERYWHERE = (*KEY, "SPARK_LOCAL_IP")


def settings(tag: str) -> dict[str, str]:
    """Spark's configuration of a job on YARN. It has secrets in it."""
    python = os.environ.get("SPARK_NODE_PYTHON", sys.executable)
    jars = os.environ.get("SPARK_NODE_JARS", str(Path(pyspark.__file__).parent / "jars"))
    everywhere = {name: os.environ[name] for name in _EVERYWHERE if name in os.environ}
    driver = {
        **everywhere,
        "SPARK_MASTER": "yarn",
        "PYSPARK_PYTHON": python,
        "PYTHONUNBUFFERED": "1",
        # Spark wonders where the archive of the code is that YARN has brought already.
        "PYTHONWARNINGS": "ignore::RuntimeWarning",
        TAG: tag,
    }
    return {
        **s3_settings(),
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "1g"),
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseSerialGC",
        "spark.executor.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.executor.instances": os.environ.get("SPARK_EXECUTORS", "1"),
        "spark.executor.memory": os.environ.get("SPARK_EXECUTOR_MEMORY", "1g"),
        "spark.executor.cores": os.environ.get("SPARK_EXECUTOR_CORES", "2"),
        # Upwards of Spark's own there are the Python processes.
        "spark.executor.memoryOverheadFactor": "0.4",
        "spark.pyspark.python": python,
        "spark.yarn.jars": f"local:{jars}/*",
        "spark.yarn.tags": tag,
        "spark.yarn.submit.waitAppCompletion": "false",
        # Whether to try again is decided by the job, which knows what the first try left.
        "spark.yarn.maxAppAttempts": "1",
        "spark.ui.port": "0",
        **{f"spark.yarn.appMasterEnv.{name}": value for name, value in driver.items()},
        **{f"spark.executorEnv.{name}": value for name, value in everywhere.items()},
    }


def submit(tag: str, script: str, arguments: list[str]) -> None:
    """@raises JobError when YARN does not take it"""
    with tempfile.TemporaryDirectory(prefix="hashira-submit-") as folder:
        code = os.path.join(folder, "hashira.zip")
        archive_code(code)
        # In a file that nobody else can read: arguments are seen by everybody on the machine.
        properties = os.path.join(folder, "spark.properties")
        with open(os.open(properties, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{name} {_escaped(value)}\n" for name, value in settings(tag).items())
        command = [
            *(os.path.join(os.path.dirname(pyspark.__file__), "bin", "spark-submit"), "--master", "yarn"),
            *("--deploy-mode", "cluster", "--name", f"{Path(script).stem} {tag}"),
            *("--properties-file", properties, "--py-files", code, str(_SPARK / script), *arguments),
        ]
        # Spark's own words on the way are long and of no use; the last ones tell what went wrong, less where in Java.
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        if done.returncode != 0:
            said = [line for line in done.stdout.splitlines() if not re.match(r"\s+(at |\.\.\.)", line)]
            log("\n".join(said[-20:]))
            raise JobError(
                "SPARK_NOT_SUBMITTED", "The cluster did not take the Spark job; the log tells why."
            )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tag", required=True)
    parser.add_argument("script", help="a job of this folder, such as prepare.py")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    submit(options.tag, options.script, options.arguments)
    result({"tag": options.tag})


if __name__ == "__main__":
    run_job(main)
