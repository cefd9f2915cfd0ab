import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { as } from '../../test/support/execute.ts';
import { Ids, mayRead, owns, scopesOf } from './owner.ts';

const ids = new Ids(randomBytes(32));
const id = randomUUID();
const ada = as('ada', 'customer');

test('who has an account gets plain ids, a visitor signed ones', () => {
  expect(ids.shown('message', id, 'ada', ada)).toBe(id);
  expect(ids.shown('message', id, null, as('s', 'support'))).toBe(id);
  const shown = ids.shown('message', id, null, null);
  expect(shown).toMatch(/^[0-9a-f-]{36}\.[A-Za-z0-9_-]{22}$/);
  expect(ids.read('message', shown, null)).toBe(id);
});

test('no visitor can make an id, nor one of a kind of another', () => {
  const shown = ids.shown('conversation', id, null, null);
  const other = randomUUID();
  const forged = [
    id,
    shown.replace(id, other),
    `${id}.${'A'.repeat(22)}`,
    shown.slice(0, -1),
    `${shown}A`,
    `${id}.`,
    '',
    `${shown}\n`,
    new Ids(randomBytes(32)).shown('conversation', id, null, null),
  ];
  for (const given of forged) expect(ids.read('conversation', given, null)).toBeNull();
  expect(ids.read('message', shown, null)).toBeNull();
});

test('ids of others than visitors are UUIDs in either case', () => {
  expect(ids.read('message', id.toUpperCase(), ada)).toBe(id);
  expect(ids.read('message', 'nonsense', ada)).toBeNull();
});

test('the owner owns, support and admins read, nobody else does', () => {
  expect(owns('ada', ada)).toBe(true);
  expect(owns(null, ada)).toBe(false);
  expect(owns('ada', null)).toBe(false);
  expect(owns(null, null)).toBe(true);
  expect(
    ['customer', 'support', 'admin', 'analyst'].filter((scope) => mayRead('ada', as('b', scope as never))),
  ).toEqual(['support', 'admin']);
});

test('a visitor who begins a conversation with a weak id never meets another', () => {
  expect(scopesOf(null, 'c1', true, '1')).toEqual({ scope: 'conversation:c1', begunIn: 'conversation:c1' });
  expect(scopesOf(null, 'c1', true, randomUUID()).scope).toBe('visitor');
  expect(scopesOf(null, 'c1', false, '1').scope).toBe('conversation:c1');
  expect(scopesOf(ada, 'c1', true, '1').scope).toBe('user:ada');
});
