import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Setup } from './setups.ts';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** µs before each sample. */
  timeDeltas: number[];
}

const SHOWN = 25;

export const startProfile = ({ gateway }: Setup) => gateway.ask('startProfile');

/** Writes `name.cpuprofile` into `folder`. @returns the functions that took most time themselves, in % of the time at work */
export async function stopProfile(name: string, { gateway }: Setup, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = path.resolve(folder, `${name}.cpuprofile`);
  await gateway.ask('stopProfile', { file });
  const { nodes, samples, timeDeltas }: Profile = JSON.parse(readFileSync(file, 'utf8'));
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const at = url.replace(/^.*\/node_modules\//, '').replace(`file://${process.cwd()}/`, '');
      return [id, `${functionName || '(anonymous)'}${at ? `  ${at}:${lineNumber + 1}` : ''}`];
    }),
  );
  const self = new Map<string, number>();
  samples.forEach((sample, index) => {
    const place = places.get(sample) ?? '?';
    // The profiler's own start lists every function there is.
    if (place !== '(idle)' && !place.includes('node:inspector'))
      self.set(place, (self.get(place) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const total = [...self.values()].reduce((sum, time) => sum + time, 0);
  const top = [...self].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  const lines = top.map(([place, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${place}`);
  return [`${name}: self time (${file})`, ...lines].join('\n');
}
