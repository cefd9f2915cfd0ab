import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Database } from '../subgraphs/kit/database.ts';
import { createDatabase } from '../test/support/database.ts';
import { createHealth } from './health.ts';

const supergraph = () => true;

describe('readiness', () => {
  it('is ok with a supergraph and, where there is one, a database that answers', async () => {
    expect(await createHealth({ supergraph }).ready()).toEqual({
      ready: true,
      status: 'ok',
      parts: { supergraph: 'ok' },
    });
    const database = await createDatabase();
    expect(await createHealth({ supergraph, database }).ready()).toEqual({
      ready: true,
      status: 'ok',
      parts: { supergraph: 'ok', database: 'ok' },
    });
    await database.close();
  });

  it('is not given without a supergraph, and comes with it', async () => {
    let loaded = false;
    const health = createHealth({ supergraph: () => loaded });
    expect(await health.ready()).toMatchObject({ ready: false, status: 'unavailable' });
    loaded = true;
    expect(await health.ready()).toMatchObject({ ready: true, status: 'ok' });
  });

  it('is not given while the database is away', async () => {
    const database = new Database('postgres://nobody@127.0.0.1:1/none');
    expect(await createHealth({ supergraph, database }).ready()).toEqual({
      ready: false,
      status: 'unavailable',
      parts: { supergraph: 'ok', database: 'unavailable' },
    });
    await database.close();
  });

  it('does not wait for a database that hangs, and asks it once however often it is asked itself', async () => {
    let connections = 0;
    const mute = createServer(() => connections++).listen(0, '127.0.0.1');
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as AddressInfo;
    const database = new Database(`postgres://nobody@127.0.0.1:${port}/none`);
    const health = createHealth({ supergraph, database });
    const before = Date.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => health.ready()));
    expect(Date.now() - before).toBeLessThan(3_000);
    expect([answers.some(({ ready }) => ready), connections, database.statements]).toEqual([false, 1, 1]);
    mute.close();
  });

  it('is degraded, but given, while the breaker of a subgraph is open', async () => {
    const breakers = () => [['catalog', 'open'] as const, ['forecast', 'half-open'] as const];
    expect(await createHealth({ supergraph, breakers }).ready()).toEqual({
      ready: true,
      status: 'degraded',
      parts: { supergraph: 'ok', 'subgraph.catalog': 'degraded', 'subgraph.forecast': 'ok' },
    });
  });

  it('ends when the process is about to', async () => {
    const health = createHealth({ supergraph });
    health.drain();
    expect(await health.ready()).toEqual({ ready: false, status: 'draining', parts: { supergraph: 'ok' } });
  });
});
