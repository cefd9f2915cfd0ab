import type { ProductionModel } from '../kit/production-model.ts';
import type { Ranker } from './ranker.ts';
import { type Reason, reasonFor } from './reason.ts';
import type { History, RecommendationStore } from './store.ts';

export interface Recommendation {
  productId: string;
  /** Comparable within one list only. */
  score: number;
  /** From 1. */
  rank: number;
  reason: Reason;
}

/** Where a page ended: enough to find the place again, even in a list that has changed since. */
export interface Position {
  rank: number;
  productId: string;
  /** Newest tracked event of the history that was ranked, so that later pages rank the same history. */
  through: number;
}

export interface Ask {
  userId: string;
  /** With all categories below it; null: the whole shop. */
  categoryId: string | null;
  after: Position | null;
  /** Most recommendations wanted. */
  limit: number;
}

export interface Recommendations {
  items: Recommendation[];
  /** The history they follow from; see Position. */
  through: number;
  /** The version that ranked; null: they are the most popular products. */
  model: { name: string; version: number } | null;
}

export interface SimilarAsk {
  productId: string;
  limit: number;
}

type Models = Pick<ProductionModel<Ranker>, 'current' | 'use'>;

// More neighbours than asked for: some may have been sold out, or have left the catalogue since the model was trained.
const SPARE_NEIGHBOURS = 20;

/**
 * What to show to whom. Every method works for many users or products at once, with a fixed number of statements and at most one
 * run of the model.
 */
export class Recommender {
  constructor(
    private readonly store: RecommendationStore,
    private readonly models: Models,
  ) {}

  /** Products that are not in the user's history, best first, from `after` on. */
  async recommend(asks: readonly Ask[]): Promise<Recommendations[]> {
    const histories = await this.store.histories(
      asks.map(({ userId, after }) => ({ userId, through: after?.through ?? null })),
    );
    const all = asks.map((ask, place) => ({ ask, place, history: histories[place] as History }));
    const answers: Recommendations[] = [];
    const personal = await this.personal(all);
    for (const [place, answer] of personal) answers[place] = answer;
    const rest = all.filter(({ place }) => !personal.has(place));
    for (const [place, answer] of await this.popularNew(rest)) answers[place] = answer;
    return answers;
  }

  /** The most popular products, for visitors: by category, with all below it; null: the whole shop. */
  async popular(categoryIds: readonly (string | null)[], limit: number): Promise<Recommendation[][]> {
    const lists = await this.store.popular(categoryIds, limit);
    return lists.map((list) =>
      list.map(({ productId, points }, index) => ({ productId, score: points, rank: index + 1, reason: 'POPULAR' })),
    );
  }

  /**
   * Products near each of these, nearest first. What the model does not know, as a product that is newer, has the most popular
   * ones of its category beside it.
   */
  async similar(asks: readonly SimilarAsk[]): Promise<Recommendation[][]> {
    const near = this.models.current()
      ? await this.models.use(({ neighbours }) =>
          asks.map(({ productId, limit }) => neighbours.of(productId, limit + SPARE_NEIGHBOURS) ?? []),
        )
      : asks.map(() => []);
    const wanted = [...new Set(near.flat().map(({ productId }) => productId))];
    const available = wanted.length > 0 ? await this.store.available(wanted) : new Set<string>();
    const answers = asks.map(({ limit }, place) =>
      (near[place] ?? [])
        .filter(({ productId }) => available.has(productId))
        .slice(0, limit)
        .map(({ productId, score, boughtTogether }, index): Recommendation => {
          const reason = boughtTogether ? 'BOUGHT_TOGETHER' : 'SIMILAR_TO_VIEWED';
          return { productId, score, rank: index + 1, reason };
        }),
    );
    const empty = asks.flatMap((ask, place) => (answers[place]?.length ? [] : [{ ...ask, place }]));
    if (empty.length > 0) {
      const beside = await this.store.popularBeside(
        empty.map(({ productId }) => productId),
        Math.max(...empty.map(({ limit }) => limit)),
      );
      empty.forEach(({ place, limit }, index) => {
        answers[place] = (beside[index] ?? []).slice(0, limit).map(({ productId, points }, rank) => ({
          productId,
          score: points,
          rank: rank + 1,
          reason: 'POPULAR',
        }));
      });
    }
    return answers;
  }

  /** By place, for the users whose history tells the model something; nobody before there is a model. */
  private async personal(asks: readonly Placed[]): Promise<Map<number, Recommendations>> {
    if (!this.models.current()) return new Map();
    return this.models.use(async (ranker, version) => {
      const known = asks.filter(({ history }) => ranker.knows(history.items));
      if (known.length === 0) return new Map();
      const categoryIds = [...new Set(known.flatMap(({ ask }) => ask.categoryId ?? []))];
      const trees =
        categoryIds.length > 0 ? await this.store.categoryTrees(categoryIds) : new Map<string, Set<string>>();
      const lists = await ranker.rank(
        known.map(({ ask, history }) => ({
          history: history.items,
          categories: ask.categoryId === null ? null : (trees.get(ask.categoryId) ?? new Set()),
        })),
      );
      const available = await this.store.available([...new Set(lists.flat().map(({ productId }) => productId))]);
      const model = { name: version.name, version: version.version };
      return new Map(
        known.map(({ ask, place, history }, index) => {
          const why = reasonFor(ranker, history.items);
          const list = (lists[index] ?? [])
            .filter(({ productId }) => available.has(productId))
            .map((product, position): Recommendation => {
              const { productId, score } = product;
              return { productId, score, rank: position + 1, reason: why(product) };
            });
          return [place, { items: from(list, ask), through: history.through, model }];
        }),
      );
    });
  }

  private async popularNew(asks: readonly Placed[]): Promise<Map<number, Recommendations>> {
    if (asks.length === 0) return new Map();
    const categoryIds = [...new Set(asks.map(({ ask }) => ask.categoryId))];
    // Enough for each list when all of its history is among the most popular.
    const most = Math.max(...asks.map(({ ask, history }) => history.items.length + (ask.after?.rank ?? 0) + ask.limit));
    const lists = await this.popular(categoryIds, most);
    return new Map(
      asks.map(({ ask, place, history }) => {
        const seen = new Set(history.items.map(({ productId }) => productId));
        const list = (lists[categoryIds.indexOf(ask.categoryId)] ?? [])
          .filter(({ productId }) => !seen.has(productId))
          .map((item, index) => ({ ...item, rank: index + 1 }));
        return [place, { items: from(list, ask), through: history.through, model: null }];
      }),
    );
  }
}

interface Placed {
  ask: Ask;
  place: number;
  history: History;
}

/** The part of a list that was asked for. When the last product of the page before has left the list, its rank tells the place. */
function from(list: readonly Recommendation[], { after, limit }: Ask): Recommendation[] {
  if (!after) return list.slice(0, limit);
  const found = list.findIndex(({ productId }) => productId === after.productId);
  const start = found < 0 ? after.rank : found + 1;
  return list.slice(start, start + limit);
}
