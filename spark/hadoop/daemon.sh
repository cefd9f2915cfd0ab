#!/bin/sh
# Runs one daemon of HDFS or YARN in the foreground, as `npm run services` and the containers do:
#   daemon.sh namenode | datanode | resourcemanager | nodemanager
# HADOOP_JARS: folder of the jars that pom.xml names. SPARK_JARS: pyspark's, which has the rest. HADOOP_DATA: where it keeps all.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${HADOOP_JARS:?}" "${SPARK_JARS:?}" "${HADOOP_DATA:?}"
export HADOOP_CONF_DIR="${HADOOP_CONF_DIR:-$here/conf}"

classpath="$HADOOP_CONF_DIR:$HADOOP_JARS/*"
for jar in hadoop-client-api hadoop-client-runtime slf4j-api jcl-over-slf4j log4j-slf4j2-impl log4j-api log4j-core log4j-1.2-api; do
  classpath="$classpath:$(echo "$SPARK_JARS/$jar"-[0-9]*.jar)"
done
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
run="-Xmx${HADOOP_HEAP:-384m} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp $classpath"

case "$1" in
  namenode)
    class=org.apache.hadoop.hdfs.server.namenode.NameNode
    # Formatted once. What a start that was interrupted left of it is not a file system yet.
    if [ ! -e "$HADOOP_DATA/namenode/current/VERSION" ]; then
      # shellcheck disable=SC2086
      "$java" $run $class -format -force -nonInteractive
    fi
    ;;
  datanode) class=org.apache.hadoop.hdfs.server.datanode.DataNode ;;
  resourcemanager) class=org.apache.hadoop.yarn.server.resourcemanager.ResourceManager ;;
  nodemanager) class=org.apache.hadoop.yarn.server.nodemanager.NodeManager ;;
  *)
    echo "no such daemon: $1" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086
exec "$java" $run $class
