-- MLflow keeps its versions in a database of its own.
CREATE DATABASE mlflow;
