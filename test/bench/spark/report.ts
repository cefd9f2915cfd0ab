import { markdownTable } from '../markdown.ts';
import type { Usage } from './measure.ts';

export interface Measured extends Usage {
  job: 'generate' | 'prepare';
  where: 'Spark local[*]' | 'YARN' | 'DuckDB';
  events: number;
  bytes: number;
}

const HEAD = ['job', 'where', 'million events', 's', 'events/s', 'CPU µs/event', 'peak MB', 'scratch MB', 'written MB'];
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);

/** One row per job, place and size. */
export function table(measured: readonly Measured[]): string {
  const rows = [...measured]
    .sort((a, b) => a.job.localeCompare(b.job))
    .map(({ job, where, events, seconds, cpuSeconds, peakBytes, scratchBytes, bytes }) => [
      ...[job, where, String(events / 1e6), seconds.toFixed(0), (events / seconds).toFixed(0)],
      ...[((cpuSeconds / events) * 1e6).toFixed(1), megabytes(peakBytes)],
      ...[where === 'YARN' ? '–' : megabytes(scratchBytes), megabytes(bytes)],
    ]);
  return markdownTable(HEAD, rows, 2);
}

/** How time per event changes from one size to the next: at most 1 means that a shop may grow. */
export function growth(measured: readonly Measured[]): string {
  const lines = (['generate', 'prepare'] as const).flatMap((job) => {
    const sizes = measured.filter((each) => each.job === job && each.where === 'Spark local[*]');
    return sizes.slice(1).map((large, place) => {
      const small = sizes[place] as Measured;
      const per = (of: (one: Measured) => number) => (of(large) / large.events / (of(small) / small.events)).toFixed(2);
      const [time, cpu] = [per(({ seconds }) => seconds), per(({ cpuSeconds }) => cpuSeconds)];
      return `${job}: from ${small.events / 1e6} to ${large.events / 1e6} million events time per event × ${time}, CPU × ${cpu}`;
    });
  });
  return lines.join('\n');
}
