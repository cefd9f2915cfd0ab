/** Loaded before the program of every process that is measured: tells what it has used, all threads included. */
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { serve } from './control.ts';

export interface Usage {
  cpuMs: number;
  rssMb: number;
}

let session: Session | undefined;

serve({
  usage: (): Usage => {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  },

  async startProfile() {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
  },

  /** Writes what `node --cpu-prof` would, but of the rounds alone. */
  async stopProfile({ file }: { file: string }) {
    const stopped = await session?.post('Profiler.stop');
    await writeFile(file, JSON.stringify(stopped?.profile));
    session?.disconnect();
  },
});
