import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLogger } from '../kit/log.ts';
import { type EndReason, Reporter } from './reporter.ts';
import type { Report } from './store.ts';

/** A sink that answers as told, and remembers. */
function setUp(answer: () => { held: boolean; cancelRequested: boolean }, patienceMs?: number) {
  const reports: Report[] = [];
  const ends: EndReason[] = [];
  const sink = {
    report: async (report: Report) => {
      const said = answer();
      reports.push(report);
      return said;
    },
    trimLogs: async () => {},
  };
  const reporter = new Reporter(sink, (reason) => ends.push(reason), createLogger('test', 'silent'), patienceMs);
  return { reporter, reports, ends };
}
const goOn = () => ({ held: true, cancelRequested: false });

test('writes at most four times a second, and loses no line', async () => {
  const { reporter, reports } = setUp(goOn);
  for (let i = 0; i < 100; i++) {
    reporter.progress(i / 100, `stage ${i}`);
    reporter.line(`line ${i}`);
    await sleep(10);
  }
  await reporter.stop();
  expect(reports.length).toBeLessThanOrEqual(7);
  expect(reports.flatMap(({ lines }) => lines)).toEqual(Array.from({ length: 100 }, (_, i) => `line ${i}`));
  expect(reports.at(-1)).toMatchObject({ progress: 0.99, stage: 'stage 99' });
});

test('never goes back', async () => {
  const { reporter, reports } = setUp(goOn);
  reporter.progress(0.5, 'a');
  reporter.progress(0.2, 'b');
  await reporter.stop();
  expect(reports).toEqual([{ progress: 0.5, stage: 'b', lines: [] }]);
});

test('says that it is alive when there is nothing to say', async () => {
  const { reporter, reports } = setUp(goOn);
  await sleep(2_600);
  await reporter.stop();
  expect(reports).toHaveLength(1);
});

test('learns that the run shall end, at once when it is told to look', async () => {
  let said = goOn();
  const { reporter, ends } = setUp(() => said);
  await sleep(50);
  said = { held: true, cancelRequested: true };
  reporter.check();
  await sleep(50);
  expect(ends).toEqual(['cancelled']);
  said = { held: false, cancelRequested: false };
  reporter.check();
  await sleep(50);
  expect(ends).toEqual(['cancelled', 'lost']);
  await reporter.stop();
});

test('keeps everything through an outage', async () => {
  let down = true;
  const { reporter, reports, ends } = setUp(() => {
    if (down) throw new Error('down');
    return goOn();
  });
  reporter.line('one');
  await sleep(400);
  reporter.line('two');
  await sleep(400);
  down = false;
  await sleep(700);
  await reporter.stop();
  expect(reports.flatMap(({ lines }) => lines)).toEqual(['one', 'two']);
  expect(ends).toEqual([]);
});

test('gives the run up when the outage lasts too long', async () => {
  const { reporter, ends } = setUp(() => {
    throw new Error('down');
  }, 300);
  reporter.line('one');
  await sleep(1_200);
  await reporter.stop();
  expect(ends).toEqual(['lost']);
});
