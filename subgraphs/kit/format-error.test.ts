import { pino } from 'pino';
import { expect, it } from 'vitest';
import { HashiraError } from './errors.ts';
import { formatError, formatThrown } from './format-error.ts';

const logged: Record<string, unknown>[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });

it('shows our own errors as they are and keeps their cause for the log', () => {
  const originalError = new HashiraError('MODEL_NOT_READY', 'No model yet.', { cause: new Error('/secret/path') });
  const { extensions } = originalError;
  const shown = formatError({ message: 'No model yet.', path: ['a'], extensions, originalError }, log);
  expect(shown).toEqual({ message: 'No model yet.', path: ['a'], extensions: { code: 'MODEL_NOT_READY' } });
  expect(JSON.stringify(logged.pop())).toContain('/secret/path');
});

it('shows of anything else only that it happened', () => {
  const originalError = new Error('relation "users" does not exist at postgres://u:p@db');
  const extensions = { code: 'INTERNAL_SERVER_ERROR', stacktrace: ['at /srv/x.ts'], sql: 'SELECT' };
  const shown = formatError({ message: originalError.message, extensions, originalError }, log);
  expect(JSON.stringify(shown)).not.toMatch(/postgres|srv|SELECT|relation/);
  expect(shown.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
  expect(JSON.stringify(logged.pop())).toContain('relation');
});

it('does not take the name of an inherited property for a code', () => {
  const shown = formatError({ message: 'x', extensions: { code: 'constructor' } }, log);
  expect(shown.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
});

it('shows what was thrown by the same rules', () => {
  const busy = new HashiraError('RATE_LIMITED', 'Too many.', { extensions: { retryAfter: 3 } });
  expect(formatThrown(busy, log)).toEqual({
    message: 'Too many.',
    extensions: { code: 'RATE_LIMITED', retryAfter: 3 },
  });
  for (const thrown of [new Error('secret'), 'secret', undefined]) {
    expect(formatThrown(thrown, log).extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
  }
});
