import type { ExecutionResult } from 'graphql';

/** An error as a client sees it. */
interface Seen {
  path: string;
  /** Path of the null that the error left behind: its own, or that of the nearest nullable parent. */
  at: string;
  code: unknown;
}

/**
 * What tells a federated answer from the monolith's, in sentences; empty when nothing does.
 *
 * Data must be the same, its fields in the same order where no condition in the query decides that. Errors must be at the same paths with the same codes. Where an error made more
 * null than its own field, the order of execution decides which of several errors is told, so any under that null will do.
 */
export function differences(federated: ExecutionResult, monolith: ExecutionResult, query = ''): string[] {
  const found: string[] = [];
  const text = /@(skip|include)/.test(query) ? sortedText : JSON.stringify;
  const [data, wanted] = [text(federated.data), text(monolith.data)];
  if (data !== wanted) found.push(`data is ${data}\n instead of ${wanted}`);
  if (!monolith.data && monolith.errors?.every(({ path }) => !path)) {
    if (!federated.errors?.length) found.push('a bad request passed');
    return found;
  }
  const errors = seen(federated);
  const wantedErrors = seen(monolith);
  for (const { path, code } of errors) {
    if (/_entities|_representations/.test(path)) found.push(`an error tells of the subgraphs: ${path}`);
    if (typeof code !== 'string' && code !== undefined) found.push(`a code is no text at ${path}`);
  }
  for (const at of new Set([...errors, ...wantedErrors].map((error) => error.at))) {
    const here = errors.filter((error) => error.at === at);
    const wantedHere = wantedErrors.filter((error) => error.at === at);
    const exact = wantedHere.filter(({ path }) => path === at);
    const codes = new Set(wantedHere.map(({ code }) => code));
    if (here.length === 0) found.push(`no error at "${at}"`);
    else if (wantedHere.length === 0) found.push(`an error too many at "${at}": ${describe(federated, here)}`);
    else if (exact.length === wantedHere.length && here.some(({ path }) => path !== at)) {
      found.push(`error path ${here.map(({ path }) => path).join(', ')} instead of ${at}`);
    } else if (!here.some(({ code }) => codes.has(code))) {
      found.push(`code ${here.map(({ code }) => code)} instead of ${[...codes]} at "${at}"`);
    }
  }
  return found;
}

const sortedText = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

const describe = (result: ExecutionResult, some: readonly Seen[]): string =>
  (result.errors ?? [])
    .filter(({ path }) => some.some((error) => error.path === (path ?? []).join('.')))
    .map(({ message, path }) => `${path?.join('.')}: ${message}`)
    .join('; ');

function seen(result: ExecutionResult): Seen[] {
  return (result.errors ?? []).map((error) => {
    const path = error.path ?? [];
    let value: unknown = result.data;
    let depth = 0;
    while (depth < path.length && value !== null && typeof value === 'object') {
      value = (value as Record<string | number, unknown>)[path[depth] as string];
      depth += 1;
    }
    return {
      path: path.join('.'),
      at: path.slice(0, depth).join('.'),
      code: error.extensions?.code ?? 'INTERNAL_SERVER_ERROR',
    };
  });
}
