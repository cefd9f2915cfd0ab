import type { Database, Queryable } from '../kit/database.ts';
import type { HistoryItem } from './features.ts';

/** A history as it is, or as it was when tracked event `through` was its newest. */
export interface HistoryKey {
  userId: string;
  through: number | null;
}

export interface History {
  items: HistoryItem[];
  /** Id of the newest tracked event in it; 0: none. */
  through: number;
}

export interface PopularProduct {
  productId: string;
  points: number;
}

/** What an interaction is worth, as `spark/tables.py` counts it for the datasets. */
const POINTS = `quantity * CASE type WHEN 'VIEW' THEN 1 WHEN 'ADD_TO_CART' THEN 3 ELSE 8 END`;
/** Bounds of what one reader looks at between two datasets: the newest events of a user, and of all. */
const USER_EVENTS = 2_000;
const ALL_EVENTS = 10_000;

/** Null: stock is not counted. */
const IN_STOCK = '(p.stock IS NULL OR p.stock > 0)';

/**
 * Products in stock with their points, of the dataset and of the newest tracked events. Products and categories are the catalogue's own,
 * read where they are: a copy here would recommend what the shop no longer has.
 */
const SCORED = `live AS (
    SELECT product_id, sum(${POINTS}) AS points FROM (
      SELECT product_id, type, quantity FROM catalog.event_feed
      WHERE id > (SELECT events_through FROM recommendation.dataset) ORDER BY id DESC LIMIT ${ALL_EVENTS}
    ) newest GROUP BY product_id
  ), scored AS MATERIALIZED (
    SELECT p.id, p.category_id, coalesce(popularity.points, 0) + coalesce(live.points, 0)::float8 AS points
    FROM catalog.products p
    LEFT JOIN recommendation.popularity ON popularity.product_id = p.id
    LEFT JOIN live ON live.product_id = p.id
    WHERE ${IN_STOCK}
  )`;

/** Everything the recommendation subgraph reads. Each method is one statement. */
export class RecommendationStore {
  constructor(private readonly db: Queryable) {}

  /** Each user's history: the loaded dataset's, and the tracked events that are not in the dataset. */
  async histories(keys: readonly HistoryKey[]): Promise<History[]> {
    const rows = await this.db.query<HistoryItem & { place: number; through: number }>(
      `SELECT asked.place::int AS place, done.product_id AS "productId", sum(done.purchases)::int AS purchases,
         ln(1 + sum(done.points)) AS weight, extract(epoch FROM max(done.last_at))::float8 / 86400 AS day,
         max(done.event_id)::float8 AS through
       FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked(user_id, through, place)
       CROSS JOIN LATERAL (
         SELECT product_id, purchases, exp(weight) - 1 AS points, last_at, 0 AS event_id
         FROM recommendation.histories h WHERE h.user_id = asked.user_id
         UNION ALL (
           SELECT e.product_id, (e.type = 'PURCHASE')::int, ${POINTS}, e.occurred_at, e.id
           FROM catalog.event_feed e CROSS JOIN recommendation.dataset d
           WHERE e.user_id = asked.user_id AND (e.id > d.events_through OR e.occurred_at > d.covered_until)
             AND (asked.through IS NULL OR e.id <= asked.through)
           ORDER BY e.id DESC LIMIT ${USER_EVENTS}
         )
       ) done GROUP BY asked.place, done.product_id`,
      [keys.map(({ userId }) => userId), keys.map(({ through }) => through)],
    );
    const histories = keys.map((): History => ({ items: [], through: 0 }));
    for (const { place, through, ...item } of rows) {
      const history = histories[place - 1] as History;
      history.items.push(item);
      history.through = Math.max(history.through, through);
    }
    return histories;
  }

  /** Which of these products the catalogue has, and can be bought now. */
  async available(productIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.db.query<{ id: string }>(
      `SELECT id FROM catalog.products p WHERE id = ANY($1) AND ${IN_STOCK}`,
      [productIds],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** For each category its own id and those of all categories below it; nothing for one that does not exist. */
  async categoryTrees(categoryIds: readonly string[]): Promise<Map<string, Set<string>>> {
    // UNION ends a cycle in the data by itself.
    const rows = await this.db.query<{ root: string; id: string }>(
      `WITH RECURSIVE tree AS (
         SELECT id AS root, id FROM catalog.categories WHERE id = ANY($1)
         UNION SELECT tree.root, c.id FROM catalog.categories c JOIN tree ON c.parent_id = tree.id
       ) SELECT root, id FROM tree`,
      [categoryIds],
    );
    const trees = new Map(categoryIds.map((id) => [id, new Set<string>()]));
    for (const { root, id } of rows) trees.get(root)?.add(id);
    return trees;
  }

  /** For each category, with all below it (null: the whole shop), its most popular products. */
  async popular(categoryIds: readonly (string | null)[], limit: number): Promise<PopularProduct[][]> {
    const rows = await this.db.query<PopularProduct & { place: number }>(
      `WITH RECURSIVE tree AS (
         SELECT id AS root, id FROM catalog.categories WHERE id = ANY($1)
         UNION SELECT tree.root, c.id FROM catalog.categories c JOIN tree ON c.parent_id = tree.id
       ), ${SCORED}
       SELECT asked.place::int AS place, best.id AS "productId", best.points
       FROM unnest($1::text[]) WITH ORDINALITY AS asked(category_id, place)
       CROSS JOIN LATERAL (
         SELECT id, points FROM scored
         WHERE asked.category_id IS NULL OR category_id IN (SELECT tree.id FROM tree WHERE root = asked.category_id)
         ORDER BY points DESC, id LIMIT $2
       ) best ORDER BY place, points DESC, best.id`,
      [categoryIds, limit],
    );
    return byPlace(categoryIds.length, rows);
  }

  /** For each product the most popular others of its category; nothing for an unknown product. */
  async popularBeside(productIds: readonly string[], limit: number): Promise<PopularProduct[][]> {
    const rows = await this.db.query<PopularProduct & { place: number }>(
      `WITH ${SCORED}
       SELECT asked.place::int AS place, best.id AS "productId", best.points
       FROM unnest($1::text[]) WITH ORDINALITY AS asked(id, place) JOIN catalog.products itself ON itself.id = asked.id
       CROSS JOIN LATERAL (
         SELECT id, points FROM scored WHERE category_id = itself.category_id AND id <> itself.id
         ORDER BY points DESC, id LIMIT $2
       ) best ORDER BY place, points DESC, best.id`,
      [productIds, limit],
    );
    return byPlace(productIds.length, rows);
  }
}

function byPlace(count: number, rows: readonly (PopularProduct & { place: number })[]): PopularProduct[][] {
  const lists = Array.from({ length: count }, (): PopularProduct[] => []);
  for (const { place, productId, points } of rows) lists[place - 1]?.push({ productId, points });
  return lists;
}

export interface DatasetInfo {
  dataVersion: string;
  /** Id of the last tracked event that was exported into the data. */
  eventsThrough: number;
}

/** Columns of a history row in the order `replaceHistories` takes them. */
export const HISTORY_COLUMNS = ['user_id', 'product_id', 'views', 'carts', 'purchases', 'weight', 'last_at'] as const;

/**
 * Replaces all histories and what follows from them, in one transaction: readers see the old dataset until the new one is whole.
 * @returns the number of rows
 */
export function replaceHistories(
  db: Database,
  rows: AsyncIterable<readonly unknown[]>,
  { dataVersion, eventsThrough }: DatasetInfo,
): Promise<number> {
  return db.transaction(async (tx) => {
    // Loads wait for each other; readers are not in the way.
    await tx.query('LOCK TABLE recommendation.dataset IN SHARE ROW EXCLUSIVE MODE');
    await tx.query('DELETE FROM recommendation.histories');
    const count = await tx.copy('recommendation.histories', HISTORY_COLUMNS, rows);
    await tx.query('DELETE FROM recommendation.popularity');
    await tx.query(
      `INSERT INTO recommendation.popularity (product_id, points)
       SELECT product_id, sum((exp(weight) - 1) * coalesce(
         power(0.5, extract(epoch FROM newest.at - last_at)::float8 / (14 * 86400)), 1))
       FROM recommendation.histories, (SELECT max(last_at) AS at FROM recommendation.histories) newest
       GROUP BY product_id`,
    );
    await tx.query(
      `UPDATE recommendation.dataset SET data_version = $1, events_through = $2,
         covered_until = (SELECT max(last_at) FROM recommendation.histories)`,
      [dataVersion, eventsThrough],
    );
    return count;
  });
}

/** A user of the loaded dataset whose history is of the usual length; null when none is loaded. */
export async function typicalUser(db: Queryable): Promise<string | null> {
  const rows = await db.query<{ userId: string }>(
    `WITH lengths AS (SELECT user_id, count(*) AS length FROM recommendation.histories GROUP BY user_id)
     SELECT user_id AS "userId" FROM lengths
     ORDER BY abs(length - (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY length) FROM lengths)), user_id LIMIT 1`,
  );
  return rows[0]?.userId ?? null;
}
