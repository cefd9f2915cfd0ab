/** Measures training and serving of the recommender at the size of a large shop; test/bench/recommend tells how. */
import '../test/bench/recommend/index.ts';
