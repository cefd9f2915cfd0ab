import { describe, expect, it } from 'vitest';
import { GraphUnderTest } from '../../test/support/graph.ts';

let slow: Promise<unknown> = Promise.resolve();

const graph = new GraphUnderTest({
  shop: [
    `type Query { me: User users: [User!]! strict: User! }
     type User @key(fields: "id") { id: ID! name: String friend: User secret: String @authenticated }`,
    {
      Query: {
        me: () => ({ id: '1', name: 'Nezuko', friend: { id: '2', name: 'Tanjiro' }, secret: 's' }),
        users: () => [{ id: '1' }, { id: '2' }],
        strict: () => ({ id: '1' }),
      },
      User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `User ${id}`, friend: { id: '2' } }) },
    },
  ],
  scores: [
    `type User @key(fields: "id") { id: ID! stars: Int score: Float! boom: Int }`,
    {
      User: {
        __resolveReference: (reference: object) => reference,
        stars: async () => {
          await slow;
          return 5;
        },
        score: ({ id }: { id: string }) => (id === '2' ? null : 1.5),
        boom: () => {
          throw new Error('broken');
        },
      },
    },
  ],
});

const ask = (text: string, variables = {}) => graph.parts(text, null, variables);

describe('@defer', () => {
  it('gives the rest of an object after the first answer, with label and path', async () => {
    expect(await ask('{ me { id ... @defer(label: "stars") { stars } } }')).toEqual([
      { data: { me: { id: '1' } }, hasNext: true },
      { incremental: [{ path: ['me'], label: 'stars', data: { stars: 5 } }], hasNext: false },
    ]);
  });

  it('does not let the first answer wait', async () => {
    let release = () => {};
    slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const parts = graph.incremental('{ me { id ... @defer { stars } } }');
    expect((await parts.next()).value).toEqual({ data: { me: { id: '1' } }, hasNext: true });
    release();
    expect((await parts.next()).value).toMatchObject({ hasNext: false });
    slow = Promise.resolve();
  });

  it('gives one part for every item of a list', async () => {
    expect((await ask('query { users { id ...Later @defer } } fragment Later on User { name }'))[1]).toEqual({
      incremental: [
        { path: ['users', 0], data: { name: 'User 1' } },
        { path: ['users', 1], data: { name: 'User 2' } },
      ],
      hasNext: false,
    });
  });

  it('keeps a part within a part after it', async () => {
    const query = '{ me { ... @defer(label: "a") { stars friend { id ... @defer(label: "b") { name stars } } } } }';
    const [first, ...rest] = await ask(query);
    expect(first).toEqual({ data: { me: {} }, hasNext: true });
    expect(rest).toEqual([
      { incremental: [{ path: ['me'], label: 'a', data: { stars: 5, friend: { id: '2' } } }], hasNext: true },
      { incremental: [{ path: ['me', 'friend'], label: 'b', data: { name: 'User 2', stars: 5 } }], hasNext: false },
    ]);
  });

  it('bubbles a null up to its part only, and tells its errors there', async () => {
    const [first, second] = await ask('{ me { friend { id ... @defer { score } } ... @defer { boom } } }');
    expect(first).toEqual({ data: { me: { friend: { id: '2' } } }, hasNext: true });
    const third = (await ask('{ me { friend { id ... @defer { score } } } }'))[1];
    expect(third).toMatchObject({
      incremental: [{ path: ['me', 'friend'], data: null, errors: [{ path: ['me', 'friend', 'score'] }] }],
    });
    expect(second).toBeDefined();
  });

  it('holds the access rules for what comes later', async () => {
    expect((await ask('{ me { id ... @defer { secret } } }'))[1]).toMatchObject({
      incremental: [
        {
          path: ['me'],
          data: { secret: null },
          errors: [{ path: ['me', 'secret'], extensions: { code: 'UNAUTHENTICATED' } }],
        },
      ],
    });
  });

  it('is a wish: by `if`, and by what the client takes', async () => {
    const query = 'query ($later: Boolean!) { me { id ... @defer(if: $later) { name: stars } } }';
    expect(await ask(query, { later: false })).toEqual([{ data: { me: { id: '1', name: 5 } } }]);
    expect(await ask(query, { later: true })).toHaveLength(2);
    expect(await graph.ask(query, null, { later: true })).toEqual({ data: { me: { id: '1', name: 5 } } });
    expect(await ask('{ me { id ... @defer(if: false) { name } } }')).toHaveLength(1);
  });

  it('gives nothing of an object that is not in the first answer', async () => {
    const query = 'query ($no: Boolean!) { me @skip(if: $no) { id ... @defer { stars } } users { id } }';
    expect(await ask(query, { no: true })).toEqual([
      { data: { users: [{ id: '1' }, { id: '2' }] }, hasNext: true },
      { hasNext: false },
    ]);
  });
});
