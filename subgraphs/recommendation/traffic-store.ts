import type { Queryable } from '../kit/database.ts';
import type { Shown, Traffic } from './traffic.ts';

/** Notes what was shown. What a version has shown somebody before keeps its first time, and costs no write. */
export async function insertShown(db: Queryable, shown: readonly Shown[]): Promise<void> {
  const rows = shown.flatMap(({ productIds, ...rest }) => productIds.map((productId) => ({ ...rest, productId })));
  // In one order, because replicas that note the same at once would wait for each other in a circle.
  await db.query(
    `INSERT INTO recommendation.shown (user_id, product_id, version, shown_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[]) AS row(user_id, product_id, version, shown_at)
     ORDER BY user_id, product_id, version, shown_at ON CONFLICT DO NOTHING`,
    [
      rows.map(({ userId }) => userId),
      rows.map(({ productId }) => productId),
      rows.map(({ version }) => version),
      rows.map(({ at }) => at.toISOString()),
    ],
  );
}

export async function forgetShown(db: Queryable, days: number): Promise<void> {
  await db.query('DELETE FROM recommendation.shown WHERE shown_at < now() - make_interval(days => $1)', [days]);
}

/**
 * What came of the last `days` of each version, in their order. A view or purchase counts for the version that showed the product
 * to this user last before it, once per user and product.
 */
export async function traffic(db: Queryable, versions: readonly number[], days: number): Promise<Traffic[]> {
  const rows = await db.query<Traffic & { version: number }>(
    `WITH shown AS (
       SELECT *, lead(shown_at) OVER (PARTITION BY user_id, product_id ORDER BY shown_at, version) AS until
       FROM recommendation.shown WHERE shown_at >= now() - make_interval(days => $2)
     ), hits AS (
       SELECT s.user_id, s.product_id, s.version, bool_or(e.type = 'VIEW') AS viewed, bool_or(e.type = 'PURCHASE') AS bought
       FROM shown s JOIN catalog.event_feed e ON e.user_id = s.user_id AND e.product_id = s.product_id
         AND e.occurred_at > s.shown_at AND (s.until IS NULL OR e.occurred_at <= s.until)
       WHERE s.version = ANY($1) GROUP BY s.user_id, s.product_id, s.version
     )
     SELECT version, count(DISTINCT user_id)::int AS users, count(*)::int AS recommended,
       count(*) FILTER (WHERE viewed)::int AS clicks, count(*) FILTER (WHERE bought)::int AS purchases
     FROM shown LEFT JOIN hits USING (user_id, product_id, version)
     WHERE version = ANY($1) GROUP BY version`,
    [versions, days],
  );
  const byVersion = new Map(rows.map(({ version, ...counts }) => [version, counts]));
  return versions.map((version) => byVersion.get(version) ?? { users: 0, recommended: 0, clicks: 0, purchases: 0 });
}
