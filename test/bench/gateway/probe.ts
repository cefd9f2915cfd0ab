/** Loaded before the program of every process that is measured: tells what it has used, all threads included. */
import { serve } from './control.ts';

export interface Usage {
  cpuMs: number;
  rssMb: number;
}

serve({
  usage: (): Usage => {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  },
  exit: () => setImmediate(() => process.exit(0)) && true,
});
