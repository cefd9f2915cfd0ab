/** Kills each part of the services profile in the middle of a job; test/faults tells how. */
import '../test/faults/index.ts';
