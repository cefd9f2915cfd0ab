/** Compares the gateway with its peers; test/bench/gateway tells how. */
import '../test/bench/gateway/index.ts';
