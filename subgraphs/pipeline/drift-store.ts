import type { Database, Queryable } from '../kit/database.ts';
import type { ModelKey } from '../kit/registry.ts';
import type { Drift } from './drift.ts';

/** Days that are kept. */
export const DRIFT_DAYS = 90;

/** Notes today's drift of a version, in place of what was noted today before, and forgets what is old. */
export async function saveDrift(db: Database, { name, version }: ModelKey, psi: Record<string, number>): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query(`DELETE FROM pipeline.drift WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::int`, [DRIFT_DAYS]);
    await tx.query(
      `INSERT INTO pipeline.drift (name, version, day, feature, psi)
       SELECT $1, $2, (now() AT TIME ZONE 'UTC')::date, * FROM unnest($3::text[], $4::float8[])
       ON CONFLICT (name, version, day, feature) DO UPDATE SET psi = excluded.psi`,
      [name, version, Object.keys(psi), Object.values(psi)],
    );
  });
}

/** Of each version, in their order: newest day first, by feature. */
export async function driftOf(db: Queryable, versions: readonly ModelKey[]): Promise<Drift[][]> {
  const rows = await db.query<Drift & { place: number }>(
    `SELECT asked.place::int AS place, to_char(day, 'YYYY-MM-DD') AS day, feature, psi
     FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS asked(name, version, place)
     JOIN pipeline.drift USING (name, version) ORDER BY place, drift.day DESC, feature`,
    [versions.map(({ name }) => name), versions.map(({ version }) => version)],
  );
  const lists = versions.map((): Drift[] => []);
  for (const { place, ...drift } of rows) lists[place - 1]?.push(drift);
  return lists;
}
