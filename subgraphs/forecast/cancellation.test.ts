import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { cancelledBy } from '../kit/cancelled-by.ts';
import type { Database } from '../kit/database.ts';
import { askable, LockedTable } from '../kit/testing.ts';
import { forecast } from './index.ts';
import { ForecastStore } from './store.ts';

let db: Database;
beforeAll(async () => {
  db = await createDatabase('forecast');
});
afterAll(() => db?.close());

describe('a forecast whose client leaves', () => {
  it('ends in PostgreSQL, and goes on for others', async () => {
    const subgraph = await askable(forecast, db, { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' });
    const locked = await LockedTable.lock(db, 'forecast.dataset');
    try {
      const left = new AbortController();
      const mine = subgraph.ask('{ salesForecast { scope } }', left.signal);
      const theirs = subgraph.ask('{ salesForecast { scope } }', new AbortController().signal);
      await locked.until(2);
      left.abort();
      await locked.until(1, 1_000);
      expect((await mine).errors).toHaveLength(1);
      await locked.release();
      expect((await theirs).errors).toMatchObject([{ extensions: { code: 'MODEL_NOT_READY' } }]);
    } finally {
      await locked.release();
      await subgraph.stop();
    }
  });

  it('no longer reads its series', async () => {
    const locked = await LockedTable.lock(db, 'forecast.periods');
    try {
      const left = new AbortController();
      const store = new ForecastStore(cancelledBy(db, left));
      const reading = store.histories('day', [{ kind: 'product', id: 'p1' }], 28);
      await locked.until(1);
      left.abort();
      await expect(reading).rejects.toThrow();
      await locked.until(0, 1_000);
    } finally {
      await locked.release();
    }
  });
});
