import type { JsonObject } from './jobs.ts';

/** A line of a child process, read. `ml/common/protocol.py` writes them and tells the format. */
export type Line =
  | { type: 'progress'; progress: number; stage: string | null }
  | { type: 'result'; result: JsonObject }
  | { type: 'error'; code: string; message: string }
  | { type: 'log'; text: string };

const MARKS = /^@(progress|result|error) (\{.*)$/s;

/** Never throws: a mark that is not what it should be is a log line. */
export function parseLine(line: string): Line {
  const [, mark, json] = MARKS.exec(line) ?? [];
  const payload = json === undefined ? null : parseObject(json);
  if (payload) {
    if (mark === 'progress' && typeof payload.progress === 'number' && Number.isFinite(payload.progress)) {
      const stage = typeof payload.stage === 'string' ? payload.stage.slice(0, 200) : null;
      return { type: 'progress', progress: Math.min(1, Math.max(0, payload.progress)), stage };
    }
    if (mark === 'result') return { type: 'result', result: payload };
    if (mark === 'error' && typeof payload.message === 'string') {
      const code = typeof payload.code === 'string' ? payload.code.slice(0, 100) : 'INTERNAL_ERROR';
      return { type: 'error', code, message: payload.message.slice(0, 2_000) };
    }
  }
  return { type: 'log', text: line };
}

/** U+0000 is dropped from strings: PostgreSQL cannot hold it. */
function parseObject(json: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(json, (_, inner) =>
      typeof inner === 'string' ? inner.replaceAll('\0', '') : inner,
    );
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}
