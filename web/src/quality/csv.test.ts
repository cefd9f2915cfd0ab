import { expect, it } from 'vitest';
import { csvOf } from './csv.ts';

it('quotes what has commas, quotes or lines, and defuses what a spreadsheet would run', () => {
  const row = {
    id: 's1',
    summary: 'A "broken" lamp, twice',
    keyIssue: '=HYPERLINK("http://evil.example")',
    resolution: 'Replaced.\nDone.',
    resolved: true,
    agent: null,
    status: 'APPROVED' as const,
    reviewNote: '-1',
    createdAt: '2026-11-24T08:30:00.000Z',
  };
  expect(csvOf([row]).split('\r\n')).toEqual([
    'createdAt,agent,keyIssue,summary,resolution,resolved,status,reviewNote,id',
    `2026-11-24T08:30:00.000Z,,"'=HYPERLINK(""http://evil.example"")","A ""broken"" lamp, twice","Replaced.\nDone.",true,APPROVED,'-1,s1`,
  ]);
});
