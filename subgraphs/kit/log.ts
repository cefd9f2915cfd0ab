import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on stderr: stdout belongs to what a person or a script reads. */
export function createLogger(name: string, level: string): Logger {
  return pino(
    {
      name,
      level,
      base: { name },
      redact: ['authorization', '*.authorization', 'token', '*.token', 'password', '*.password'],
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
