import { catalog } from './catalog/index.ts';
import { chat } from './chat/index.ts';
import { forecast } from './forecast/index.ts';
import type { Subgraph } from './kit/subgraph.ts';
import { pipeline } from './pipeline/index.ts';
import { recommendation } from './recommendation/index.ts';
import { summary } from './summary/index.ts';

/** All subgraphs of this repository, in the order of supergraph.yaml. */
export const subgraphs: readonly Subgraph[] = [catalog, recommendation, forecast, chat, summary, pipeline];
