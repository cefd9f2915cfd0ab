import { expect, test } from 'vitest';
import { lines, parse, roles } from './prompt.ts';

test('labels tell who is who, and the other one is the other', () => {
  expect(Object.fromEntries(roles(['Guest', 'Mia', 'Tom']))).toEqual({ Guest: 'Customer', Mia: 'Agent', Tom: 'Agent' });
  expect(Object.fromEntries(roles(['Support Team', 'rosa_91']))).toEqual({
    'Support Team': 'Agent',
    rosa_91: 'Customer',
  });
  expect(Object.fromEntries(roles(['Shopper', 'Customer Care']))).toEqual({
    Shopper: 'Customer',
    'Customer Care': 'Agent',
  });
  expect(Object.fromEntries(roles(['rosa', 'mia']))).toEqual({ rosa: 'rosa', mia: 'mia' });
});

test('a turn is one line', () => {
  expect(lines([{ speaker: 'user', text: ' first\n\nsecond ' }])).toEqual(['Customer: first second']);
});

const issues = new Map([['late delivery', 'Late delivery']]);

test('reads what a model wrote, with capitals and signs as people write them', () => {
  const text =
    '<ISSUE> late delivery <SUMMARY> <NAME_1> waits for <CODE_1> . <RESOLUTION> it was sent , due <DATE_1> . <RESOLVED>';
  expect(parse(text, issues)).toEqual({
    issue: 'Late delivery',
    summary: '<NAME_1> waits for <CODE_1>.',
    resolution: 'It was sent, due <DATE_1>.',
    resolved: true,
  });
});

test.each([
  'late delivery',
  '<ISSUE> late delivery <SUMMARY> a <RESOLUTION> b',
  '<ISSUE> something else <SUMMARY> a <RESOLUTION> b <OPEN>',
  '<ISSUE> late delivery <SUMMARY>  <RESOLUTION> b <OPEN>',
  '<ISSUE> late delivery <SUMMARY> a <RESOLUTION> b <OPEN> c',
])('takes nothing of another form: %s', (text) => {
  expect(parse(text, issues)).toBeNull();
});
