import { readFile } from 'node:fs/promises';
import { answering, type Evidence, type Features, rankPassages } from '../subgraphs/chat/assistant/evidence.ts';
import { passagesOf } from '../subgraphs/chat/assistant/passages.ts';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { Embedder, embedderFolder } from '../subgraphs/kit/embedder.ts';

/**
 * `npm run evaluate:passages -- FILE`: how often the passage that answers a question about a product is ranked first (P@1), by meaning,
 * by words and fused. FILE is a table in the format of semiPQA: qid, qa_pair_id, question, candidate (`name: value`), label (0: does
 * not answer), separated by tabs.
 */
interface Asked {
  question: string;
  candidates: { name: string; value: string; relevant: boolean }[];
}

async function main(file: string): Promise<void> {
  const asked = group(parseTable(await readFile(file, 'utf8')).slice(1));
  const embedder = await Embedder.load(embedderFolder(loadConfig()), 2);
  const first = { dense: 0, lexical: 0, fused: 0 };
  let answerable = 0;
  const refused = { answerable: 0, unanswerable: 0 };
  for (const { question, candidates } of asked) {
    const attributes = candidates.map(({ name, value }) => ({ name, value }));
    const product = { ...EMPTY, attributes };
    const passages = passagesOf(product).filter(({ kind }) => kind === 'attribute');
    const relevant = new Set(passages.filter((_, place) => candidates[place]?.relevant));
    const evidence = await rankPassages(embedder, question, passages);
    const isRefused = answering(evidence).answers.length === 0;
    if (relevant.size === 0) {
      refused.unanswerable += Number(isRefused);
      continue;
    }
    answerable++;
    refused.answerable += Number(isRefused);
    const best = (score: (features: Features) => number) => bestOf(evidence.ranked, ({ features }) => score(features));
    first.dense += Number(relevant.has(best(({ dense }) => dense)));
    first.lexical += Number(relevant.has(best(({ lexical }) => lexical)));
    first.fused += Number(relevant.has((evidence.ranked[0] as Evidence).passage));
  }
  const share = (count: number, of: number) => Number((count / of).toFixed(4));
  console.log(
    `${asked.length} questions, ${answerable} of them with an answer among ${Math.round(mean(asked.map(({ candidates }) => candidates.length)))} passages on average`,
  );
  console.log('P@1 over those with an answer:');
  for (const [half, hits] of Object.entries(first))
    console.log(`  ${half.padEnd(8)} ${share(hits, answerable).toFixed(4)}`);
  console.log(
    JSON.stringify({
      dense: share(first.dense, answerable),
      lexical: share(first.lexical, answerable),
      fused: share(first.fused, answerable),
      refusedAnswerable: share(refused.answerable, answerable),
      refusedUnanswerable: share(refused.unanswerable, asked.length - answerable),
    }),
  );
  await embedder.dispose();
}

const EMPTY = {
  id: '',
  sku: '',
  name: '',
  description: '',
  price: { amount: 0, currency: 'USD' },
  categoryId: '',
  inStock: true,
  stock: null,
  imageUrl: null,
};

const mean = (numbers: number[]): number => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

function bestOf(evidence: readonly Evidence[], score: (one: Evidence) => number) {
  return evidence.reduce((best, one) => (score(one) > score(best) ? one : best)).passage;
}

function group(rows: readonly string[][]): Asked[] {
  const groups = new Map<string, Asked>();
  for (const [id, , question, candidate, label] of rows) {
    if (id === undefined || question === undefined || candidate === undefined) continue;
    const asked = groups.get(id) ?? { question, candidates: [] };
    const colon = candidate.indexOf(':');
    asked.candidates.push({
      name: candidate.slice(0, colon),
      value: candidate.slice(colon + 1).trim(),
      relevant: label !== '0',
    });
    groups.set(id, asked);
  }
  return [...groups.values()];
}

/** Cells may be quoted; a quotation mark in one is doubled. */
function parseTable(text: string): string[][] {
  const rows: string[][] = [];
  for (const line of text.split(/\r?\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
    if (line === '') continue;
    rows.push(line.split('\t').map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)));
  }
  return rows;
}

const [file] = process.argv.slice(2);
if (!file) {
  console.error('Usage: npm run evaluate:passages -- FILE');
  process.exit(2);
}
await main(file);
