/** Measures the Spark jobs at growing size; test/bench/spark tells how. */
import '../test/bench/spark/index.ts';
