import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Database } from '../subgraphs/kit/database.ts';
import { createDatabase } from '../test/support/database.ts';
import { createHealth } from './health.ts';

describe('readiness', () => {
  it('is ok with a database that answers, and without one', async () => {
    expect(await createHealth({}).ready()).toEqual({
      ready: true,
      status: 'ok',
      parts: {},
    });
    const database = await createDatabase();
    expect(await createHealth({ database }).ready()).toEqual({
      ready: true,
      status: 'ok',
      parts: { database: 'ok' },
    });
    await database.close();
  });

  it('is not given while the database is away', async () => {
    const database = new Database('postgres://nobody@127.0.0.1:1/none');
    expect(await createHealth({ database }).ready()).toEqual({
      ready: false,
      status: 'unavailable',
      parts: { database: 'unavailable' },
    });
    await database.close();
  });

  it('does not wait for a database that hangs, and asks it once however often it is asked itself', async () => {
    let connections = 0;
    const mute = createServer(() => connections++).listen(0, '127.0.0.1');
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as AddressInfo;
    const database = new Database(`postgres://nobody@127.0.0.1:${port}/none`);
    const health = createHealth({ database });
    const before = Date.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => health.ready()));
    expect(Date.now() - before).toBeLessThan(3_000);
    expect([answers.some(({ ready }) => ready), connections, database.statements]).toEqual([false, 1, 1]);
    mute.close();
  });

  it('is degraded, but given, while the breaker of a subgraph is open', async () => {
    const breakers = () => [['catalog', 'open'] as const, ['forecast', 'half-open'] as const];
    expect(await createHealth({ breakers }).ready()).toEqual({
      ready: true,
      status: 'degraded',
      parts: { 'subgraph.catalog': 'degraded', 'subgraph.forecast': 'ok' },
    });
  });

  it('ends when the process is about to', async () => {
    const health = createHealth({});
    health.drain();
    expect(await health.ready()).toEqual({ ready: false, status: 'draining', parts: {} });
  });
});
