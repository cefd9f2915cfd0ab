"""The one place that makes the SparkSession.

Environment:
    SPARK_MASTER         where to run; default local[*]
    SPARK_DRIVER_MEMORY  heap of the driver (in local mode: of everything); default 2g
    SPARK_JAVA_OPTIONS   extra options of the driver's JVM; default in local mode: the collector for few cores
and those of s3.py. On YARN a job gets here through submit.py, which says the rest.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile

from archive import archive_code
from common.protocol import JobError
from pyspark.sql import SparkSession
from s3 import s3_settings

_SPARK_FOLDER = os.path.dirname(os.path.abspath(__file__))
_ML_FOLDER = os.path.join(os.path.dirname(_SPARK_FOLDER), "ml")


def make_session(name: str) -> SparkSession:
    """Starts Spark, or returns the running session. Times are UTC, Parquet is snappy with microseconds."""
    master = os.environ.get("SPARK_MASTER", "local[*]")
    local = master.startswith("local")
    # In a container of YARN the code has come with the job, and memory and class path were decided by submit.py.
    contained = "CONTAINER_ID" in os.environ
    # Workers must run this very interpreter, whatever `python3` is on the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if local:
        # Executors' Python processes import the same modules as this one.
        folders = [_SPARK_FOLDER, _ML_FOLDER, os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        # A machine whose host name does not resolve could not start Spark otherwise.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    java_options = os.environ.get("SPARK_JAVA_OPTIONS", "-XX:+UseSerialGC" if local else "")
    builder = (
        SparkSession.builder.appName(name)
        .master(master)
        .config("spark.driver.memory", os.environ.get("SPARK_DRIVER_MEMORY", "2g"))
        .config("spark.ui.enabled", "false" if local else "true")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.compression.codec", "snappy")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        # `date=…` folders are dates, and nothing else is guessed from a folder's name.
        .config("spark.sql.sources.partitionColumnTypeInference.enabled", "true")
        # A batch and a dataset have one commit mark, which this project writes itself, last.
        .config("spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .config("spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", "2")
        .config("spark.driver.extraJavaOptions", f"-Duser.timezone=UTC {java_options}".strip())
        .config("spark.executor.extraJavaOptions", "-Duser.timezone=UTC")
        .config(map=s3_settings())
    )
    if local:
        builder = (
            # A folder per date is listed by the driver: on a local disk a job of tasks for it takes longer.
            builder.config("spark.sql.sources.parallelPartitionDiscovery.threshold", "100000")
            .config("spark.local.dir", os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir()))
            # Files by date are small: opening one costs little on a local disk, so pack many into a task.
            .config("spark.sql.files.openCostInBytes", str(128 * 1024))
            .config("spark.shuffle.compress", "true")
        )
    spark = builder.getOrCreate()
    if local:
        # Hadoop keeps a .crc beside every file and starts `chmod` for both: half of the time of small files.
        jvm = spark.sparkContext._jvm
        conf = spark.sparkContext._jsc.hadoopConfiguration()
        jvm.org.apache.hadoop.fs.Path("file:///").getFileSystem(conf).setWriteChecksum(False)
    elif not contained:
        code = os.path.join(tempfile.mkdtemp(prefix="hashira-code-"), "hashira.zip")
        archive_code(code)
        spark.sparkContext.addPyFile(code)
    return spark


def explain_spark_failure(failure: Exception) -> JobError | None:
    """Turns what Spark throws for a broken input or a full disk into a coded error; None: not known."""
    text = str(failure)
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return JobError("DISK_FULL", "There is no space left on the disk.")
    unreadable = re.search(
        r"FAILED_READ_FILE|is not a Parquet file|CANNOT_READ_FILE|ParquetDecodingException", text
    )
    if unreadable:
        # Spark names the file by its address; only the last part is fit for a message.
        found = re.search(r"(?:file:|hdfs:|s3a?:|/)\S*?([^/\s]+\.parquet)", text)
        name = found.group(1) if found else "a Parquet file"
        mismatch = re.search(r"COLUMN_DATA_TYPE_MISMATCH\]?.*?column[: ]+\[?(\w+)", text)
        reason = (
            f"column {mismatch.group(1)} has another type than the lake's schema"
            if mismatch
            else ("it is damaged or not a Parquet file")
        )
        return JobError("LAKE_UNREADABLE", f"Cannot read {name}: {reason}.")
    if "OutOfMemoryError" in text:
        return JobError("OUT_OF_MEMORY", "Spark ran out of memory; give it more with SPARK_DRIVER_MEMORY.")
    return None
