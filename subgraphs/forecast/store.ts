import type { Database, Queryable } from '../kit/database.ts';
import { daysBetween, type GranularityName, nameOf, type Series, type SeriesKey, SHOP, STEP_DAYS } from './series.ts';

/** One more period of a product, in the order `replaceSales` takes the columns. */
export const SALES_COLUMNS = ['date', 'product_id', 'units', 'price', 'promotion', 'in_stock'] as const;

export interface SalesData {
  dataVersion: string;
  granularity: GranularityName | null;
  /** Rows of SALES_COLUMNS. */
  sales: Record<GranularityName, AsyncIterable<readonly unknown[]>>;
  /** Product and its category; category and its parent. */
  products: AsyncIterable<readonly [id: string, categoryId: string | null]>;
  categories: AsyncIterable<readonly [id: string, parentId: string | null]>;
}

/** Series by `nameOf`, with the day on which their last period begins. */
export interface Histories {
  last: string;
  series: Map<string, Series>;
}

/** Everything the forecast subgraph reads. Each method is one statement. */
export class ForecastStore {
  constructor(private readonly db: Queryable) {}

  /** Granularity of the loaded sales; null when there are none. */
  async granularity(): Promise<GranularityName | null> {
    const [row] = await this.db.query<{ granularity: GranularityName | null }>(
      'SELECT granularity FROM forecast.dataset',
    );
    return row?.granularity ?? null;
  }

  /**
   * The newest `span` periods of these series, of all that stand above them, and of the shop. Series without sales are left out.
   * Null when nothing of this granularity is loaded.
   */
  async histories(granularity: GranularityName, keys: readonly SeriesKey[], span: number): Promise<Histories | null> {
    const rows = await this.db.query<{
      kind: SeriesKey['kind'];
      id: string;
      parent: string | null;
      last: string;
      dates: string[];
      units: number[];
      price: (number | null)[];
      promotion: boolean[];
      inStock: boolean[];
    }>(
      `WITH asked AS (
         SELECT kind, id FROM unnest($2::text[], $3::text[]) AS a(kind, id)
         UNION SELECT 'shop', 'shop'
       ), wanted AS (
         SELECT kind, id FROM asked
         UNION SELECT 'category', p.category_id FROM asked JOIN forecast.parents p USING (kind, id)
       ), newest AS (
         SELECT max(date) AS date FROM forecast.periods WHERE granularity = $1 AND kind = 'shop'
       )
       SELECT w.kind, w.id, parents.category_id AS parent, newest.date::text AS last,
         array_agg(p.date::text ORDER BY p.date) AS dates, array_agg(p.units ORDER BY p.date) AS units,
         array_agg(p.price ORDER BY p.date) AS price, array_agg(p.promotion ORDER BY p.date) AS promotion,
         array_agg(p.in_stock ORDER BY p.date) AS "inStock"
       FROM newest CROSS JOIN wanted w
       JOIN forecast.periods p ON p.granularity = $1 AND p.kind = w.kind AND p.id = w.id
         AND p.date > newest.date - $4::int
       LEFT JOIN forecast.parents ON parents.kind = w.kind AND parents.id = w.id
       GROUP BY w.kind, w.id, parents.category_id, newest.date`,
      [granularity, keys.map(({ kind }) => kind), keys.map(({ id }) => id), span * STEP_DAYS[granularity]],
    );
    const last = rows[0]?.last;
    if (last === undefined) return null;
    const series = new Map<string, Series>();
    for (const row of rows) {
      const filled: Series = {
        units: new Float64Array(span).fill(Number.NaN),
        price: new Float64Array(span).fill(Number.NaN),
        promotion: new Uint8Array(span),
        inStock: new Uint8Array(span).fill(1),
        parent: row.parent === null ? SHOP : { kind: 'category', id: row.parent },
      };
      row.dates.forEach((date, index) => {
        const place = span - 1 - Math.floor(daysBetween(date, last) / STEP_DAYS[granularity]);
        filled.units[place] = row.units[index] as number;
        filled.price[place] = row.price[index] ?? Number.NaN;
        filled.promotion[place] = Number(row.promotion[index]);
        filled.inStock[place] = Number(row.inStock[index]);
      });
      // A period without a row inside a series' life sold nothing.
      for (let i = filled.units.findIndex((units) => !Number.isNaN(units)); i >= 0 && i < span; i++) {
        if (Number.isNaN(filled.units[i])) filled.units[i] = 0;
      }
      series.set(nameOf(row), filled);
    }
    return { last, series };
  }
}

/** Replaces all sales in one transaction: readers see the old dataset until the new one is whole. @returns the number of rows */
export function replaceSales(db: Database, data: SalesData): Promise<number> {
  return db.transaction(async (tx) => {
    // Loads wait for each other; readers are not in the way.
    await tx.query('LOCK TABLE forecast.dataset IN SHARE ROW EXCLUSIVE MODE');
    await tx.query('DELETE FROM forecast.periods');
    await tx.query('DELETE FROM forecast.parents');
    await tx.query('CREATE TEMP TABLE product (id text PRIMARY KEY, category_id text) ON COMMIT DROP');
    await tx.query('CREATE TEMP TABLE category (id text PRIMARY KEY, parent_id text) ON COMMIT DROP');
    await tx.copy('product', ['id', 'category_id'], data.products);
    await tx.copy('category', ['id', 'parent_id'], data.categories);
    let count = 0;
    for (const [granularity, rows] of Object.entries(data.sales)) {
      count += await tx.copy(
        'forecast.periods',
        ['granularity', 'kind', 'date', 'id', 'units', 'price', 'promotion', 'in_stock'],
        prefixed([granularity, 'product'], rows),
      );
    }
    // UNION, not UNION ALL: a cycle of parents is walked once.
    await tx.query(
      `CREATE TEMP TABLE above ON COMMIT DROP AS WITH RECURSIVE up (id, category_id) AS (
         SELECT id, category_id FROM product WHERE category_id <> ''
         UNION SELECT up.id, category.parent_id FROM up JOIN category ON category.id = up.category_id
         WHERE category.parent_id <> ''
       ) SELECT * FROM up`,
    );
    await tx.query(
      `INSERT INTO forecast.periods (granularity, kind, id, date, units)
       SELECT granularity, 'category', above.category_id, date, sum(units)
       FROM forecast.periods JOIN above USING (id) WHERE kind = 'product' GROUP BY 1, 3, 4
       UNION ALL
       SELECT granularity, 'shop', 'shop', date, sum(units) FROM forecast.periods WHERE kind = 'product' GROUP BY 1, 4`,
    );
    await tx.query(
      `INSERT INTO forecast.parents (kind, id, category_id)
       SELECT 'product', id, category_id FROM product WHERE category_id IN (SELECT category_id FROM above)
       UNION ALL
       SELECT 'category', id, parent_id FROM category WHERE parent_id IN (SELECT category_id FROM above)`,
    );
    await tx.query('UPDATE forecast.dataset SET data_version = $1, granularity = $2', [
      data.dataVersion,
      data.granularity,
    ]);
    // The tables are new to the planner as a whole, and the first forecasts should not wait for autovacuum.
    await tx.query('ANALYZE forecast.periods');
    return count;
  });
}

async function* prefixed(prefix: readonly unknown[], rows: AsyncIterable<readonly unknown[]>) {
  for await (const row of rows) yield [...prefix, ...row];
}
