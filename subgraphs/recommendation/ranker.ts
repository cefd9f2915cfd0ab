import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Bundle, readBundle } from './bundle.ts';
import { candidatesOf, FEATURES, type HistoryItem } from './features.ts';
import { Neighbours } from './neighbours.ts';

/** What is ranked for one user. */
export interface RankRequest {
  history: readonly HistoryItem[];
  /** Only products of these categories; null: of all. */
  categories: ReadonlySet<string> | null;
}

export interface Ranked {
  productId: string;
  /** The model's score: comparable within one user's list only. */
  score: number;
  item: number;
  /** Whether the user's history speaks for it; otherwise only its popularity does. */
  personal: boolean;
}

/** Features above zero only when something of the history speaks for the item. */
const EVIDENCE = ['ease', 'knn', 'content'].map((name) => FEATURES.indexOf(name));

/** A recommender version at work: candidates and features from its tables, scores from its ONNX model. */
export class Ranker {
  readonly neighbours: Neighbours;

  private constructor(
    private readonly bundle: Bundle,
    private readonly session: InferenceSession,
  ) {
    this.neighbours = new Neighbours(bundle.tables);
  }

  /** @throws Error when the bundle is broken or was made for other features */
  static async load(dir: string): Promise<Ranker> {
    const bundle = await readBundle(dir);
    if (bundle.features.join() !== FEATURES.join()) throw new Error('the model was trained with other features');
    // One thread: a request's rows are few, and requests share the cores.
    const session = await InferenceSession.create(bundle.onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    return new Ranker(bundle, session);
  }

  /** Whether the model knows any product of a history; of others it can only say what is popular. */
  knows(history: readonly HistoryItem[]): boolean {
    return history.some(({ productId }) => this.bundle.tables.numberOf.has(productId));
  }

  /** The best products for each request, best first, none of its history; all requests are scored in one run. */
  async rank(requests: readonly RankRequest[]): Promise<Ranked[][]> {
    const { tables, settings } = this.bundle;
    const lists = requests.map(({ history, categories }) => {
      const allowed = categories && tables.categories.map((id) => categories.has(id));
      return candidatesOf(
        tables,
        settings,
        history,
        allowed ? (item) => allowed[tables.category[item] as number] === true : undefined,
      );
    });
    const rows = lists.reduce((sum, { items }) => sum + items.length, 0);
    const scores = await this.score(lists, rows);
    let start = 0;
    return lists.map(({ items, features }) => {
      const ranked = items.map((item, place) => ({
        productId: tables.ids[item] as string,
        score: scores[start + place] as number,
        item,
        personal: EVIDENCE.some((column) => (features[place * FEATURES.length + column] as number) > 0),
      }));
      start += items.length;
      return ranked.sort((a, b) => b.score - a.score || a.item - b.item);
    });
  }

  private async score(lists: readonly { features: Float32Array }[], rows: number): Promise<Float32Array> {
    if (rows === 0) return new Float32Array();
    const features = new Float32Array(rows * FEATURES.length);
    let start = 0;
    for (const list of lists) {
      features.set(list.features, start);
      start += list.features.length;
    }
    const output = await this.session.run({ features: new Tensor('float32', features, [rows, FEATURES.length]) });
    return output[this.session.outputNames[0] as string]?.data as Float32Array;
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
