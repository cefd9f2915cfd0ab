import { expect, test } from 'vitest';
import { parseInput } from './inputs.ts';
import { JobKind } from './jobs.ts';

const refused = (kind: JobKind, input: object) => {
  try {
    parseInput(kind, { ...input });
  } catch (error) {
    return (error as { code: string; message: string }).code === 'BAD_USER_INPUT'
      ? (error as Error).message
      : 'not coded';
  }
  return 'accepted';
};

test('what is not given has a value, so that a retry does the same', () => {
  expect(parseInput(JobKind.GENERATE_DATA, { users: 100, seed: null })).toEqual({
    users: 100,
    products: 500,
    days: 365,
    interactions: 500_000,
    seed: 42,
  });
  expect(parseInput(JobKind.INDEX_CATALOG, { full: null })).toEqual({ full: false });
  expect(parseInput(JobKind.INDEX_CATALOG, { full: true })).toEqual({ full: true });
  expect(parseInput(JobKind.TRAIN_MODELS, {})).toEqual({ models: ['recommender', 'forecaster'], params: {} });
});

test.each([
  [{ users: 9 }, '"users" must be a whole number from 10 to 10000000, not 9.'],
  [{ users: 10_000_001 }, '"users"'],
  [{ products: 9 }, '"products"'],
  [{ products: 1_000_001 }, '"products"'],
  [{ days: 59 }, '"days"'],
  [{ days: 3_651 }, '"days"'],
  [{ interactions: 99 }, '"interactions"'],
  [{ interactions: 1e9 + 1 }, '"interactions"'],
  [{ seed: -1 }, '"seed"'],
  [{ endDate: '2999-01-01' }, '"endDate"'],
  [{ endDate: '1066-10-14' }, '"endDate"'],
  [{ endDate: 'tomorrow' }, '"endDate"'],
])('generateData refuses %j', (input, message) => {
  expect(refused(JobKind.GENERATE_DATA, input)).toContain(message);
});

test.each([
  [{ models: [] }, 'at least one model'],
  [{ models: ['oracle'] }, 'There is no model "oracle" to train; there are recommender, forecaster, summarizer.'],
  [{ params: [1] }, '"params" must be an object.'],
  [{ params: 'x' }, '"params" must be an object.'],
  [{ params: { x: 'a'.repeat(10_001) } }, '10000 bytes'],
  [{ params: { x: 'a\0b' } }, 'U+0000'],
])('trainModels refuses %j', (input, message) => {
  expect(refused(JobKind.TRAIN_MODELS, input)).toContain(message);
});

test('trainModels takes a model once, and a text that only looks like U+0000', () => {
  const params = { seed: 1, note: '\\u0000' };
  expect(parseInput(JobKind.TRAIN_MODELS, { models: ['forecaster', 'forecaster'], params })).toEqual({
    models: ['forecaster'],
    params,
  });
});
