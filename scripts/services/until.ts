import { setTimeout as sleep } from 'node:timers/promises';

/** Asks twice a second until the answer is yes; what fails counts as no. @throws Error with the last failure, after `seconds` */
export async function untilTrue(name: string, ask: () => Promise<boolean>, seconds = 120): Promise<void> {
  let last: unknown;
  for (const until = Date.now() + seconds * 1_000; Date.now() < until; await sleep(500)) {
    try {
      if (await ask()) return;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${name} was not ready within ${seconds} s.`, { cause: last });
}
