import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';
import type { GatewayContext } from '../context.ts';
import type { SubgraphFetch, SubgraphResult, Variables } from '../sources/source.ts';
import { batchEntities } from './batching.ts';

const log = createLogger('test', 'silent');
const context = (subject: string | null = null, signal?: AbortSignal): GatewayContext => ({
  identity: subject === null ? null : { subject, scopes: ['customer'] },
  requestId: 'r',
  log,
  signal,
  subgraphContexts: new Map(),
});

/** A subgraph that answers each representation with its own name. */
class Names implements SubgraphFetch {
  readonly fetches: { variables: Variables; context: GatewayContext }[] = [];
  answer = async (names: string[]): Promise<SubgraphResult> => ({
    data: { _entities: names.map((name) => ({ name })) },
  });

  execute(variables: Variables, context: GatewayContext) {
    this.fetches.push({ variables, context });
    return this.answer(variables.representations as string[]);
  }

  subscribe(): never {
    throw new Error('not here');
  }
}

const entities = (...names: string[]) => ({ data: { _entities: names.map((name) => ({ name })) } });

describe('batchEntities', () => {
  it('joins the calls of one turn and gives each its own entities', async () => {
    const names = new Names();
    const { execute } = batchEntities(names);
    const results = await Promise.all([
      execute({ representations: ['a'] }, context()),
      execute({ representations: [] }, context()),
      Promise.resolve().then(() => execute({ representations: ['b', 'c'] }, context())),
    ]);
    expect(results).toEqual([entities('a'), entities(), entities('b', 'c')]);
    expect(names.fetches.map(({ variables }) => variables)).toEqual([{ representations: ['a', 'b', 'c'] }]);
  });

  it('hands a single call on as it is', async () => {
    const names = new Names();
    const { execute } = batchEntities(names);
    const [variables, alone] = [{ representations: ['a'] }, context()];
    await execute(variables, alone);
    await turn();
    await execute(variables, alone);
    expect(names.fetches).toHaveLength(2);
    for (const fetch of names.fetches) {
      expect(fetch.variables).toBe(variables);
      expect(fetch.context).toBe(alone);
    }
  });

  it('never joins calls of different people, nor with different variables', async () => {
    const names = new Names();
    const { execute } = batchEntities(names);
    await Promise.all([
      execute({ representations: ['a'], first: 1 }, context('u1')),
      execute({ representations: ['b'], first: 1 }, context('u2')),
      execute({ representations: ['c'], first: 2 }, context('u1')),
      execute({ representations: ['d'], first: 1 }, context()),
      execute({ representations: ['e'], first: 1 }, context('u1')),
    ]);
    expect(names.fetches.map(({ variables }) => variables.representations)).toEqual([['a', 'e'], ['b'], ['c'], ['d']]);
  });

  it('keeps a fetch within its bound, and lets a single larger call pass', async () => {
    const names = new Names();
    const { execute } = batchEntities(names, 3);
    const calls = [['a', 'b'], ['c', 'd'], ['e'], ['f', 'g', 'h', 'i']];
    const results = await Promise.all(calls.map((representations) => execute({ representations }, context())));
    expect(results).toEqual(calls.map((call) => entities(...call)));
    expect(names.fetches.map(({ variables }) => variables.representations)).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
      ['f', 'g', 'h', 'i'],
    ]);
  });

  it('maps the errors of entities back to their callers, and tells all of those of none', async () => {
    const names = new Names();
    names.answer = async () => ({
      data: { _entities: [{ name: 'a' }, null, { name: null }] },
      errors: [
        { message: 'gone', path: ['_entities', 1] },
        { message: 'no name', path: ['_entities', 2, 'name'] },
        { message: 'slow today' },
      ],
    });
    const { execute } = batchEntities(names);
    const [first, second] = await Promise.all([
      execute({ representations: ['a'] }, context()),
      execute({ representations: ['b', 'c'] }, context()),
    ]);
    expect(first).toEqual({ data: { _entities: [{ name: 'a' }] }, errors: [{ message: 'slow today' }] });
    expect(second).toEqual({
      data: { _entities: [null, { name: null }] },
      errors: [
        { message: 'gone', path: ['_entities', 0] },
        { message: 'no name', path: ['_entities', 1, 'name'] },
        { message: 'slow today' },
      ],
    });
  });

  it('tells everybody when there are no entities at all', async () => {
    const names = new Names();
    names.answer = async () => ({ data: null, errors: [{ message: 'broken', path: ['_entities', 1] }] });
    const { execute } = batchEntities(names);
    const calls = ['a', 'b'].map((name) => execute({ representations: [name] }, context()));
    for (const call of calls) {
      expect(await call).toEqual({ data: null, errors: [{ message: 'broken' }] });
    }
  });

  it('fails all calls when the fetch fails, joined or alone', async () => {
    const names = new Names();
    names.answer = () => {
      throw new HashiraError('SUBGRAPH_UNAVAILABLE', 'Away.');
    };
    const { execute } = batchEntities(names);
    for (const count of [1, 2]) {
      const calls = Array.from({ length: count }, () => execute({ representations: ['a'] }, context()));
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    }
  });

  it('goes on for those who stay when one leaves, and stops when all have left', async () => {
    const names = new Names();
    const held = Promise.withResolvers<SubgraphResult>();
    names.answer = () => held.promise;
    const { execute } = batchEntities(names);
    const [one, two] = [new AbortController(), new AbortController()];
    const calls = [one, two].map(({ signal }) => execute({ representations: ['a'] }, context(null, signal)));
    const outcomes = Promise.allSettled(calls);
    await turn();
    const signal = names.fetches[0]?.context.signal as AbortSignal;
    one.abort();
    expect(signal.aborted).toBe(false);
    two.abort();
    expect(signal.aborted).toBe(true);
    held.reject(signal.reason);
    expect((await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason)).toEqual([
      one.signal.reason,
      two.signal.reason,
    ]);
  });

  it('gives nobody the entities of a joined fetch that has too few or too many', async () => {
    for (const answer of [['a'], ['a', 'b', 'c']]) {
      const names = new Names();
      names.answer = async () => entities(...answer);
      const { execute } = batchEntities(names);
      const results = await Promise.allSettled([
        execute({ representations: ['a'] }, context()),
        execute({ representations: ['b'] }, context()),
      ]);
      expect(results).toMatchObject([
        { status: 'rejected', reason: { code: 'SUBGRAPH_UNAVAILABLE' } },
        { status: 'rejected', reason: { code: 'SUBGRAPH_UNAVAILABLE' } },
      ]);
    }
  });
});
