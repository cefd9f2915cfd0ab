/** What a client can read results over time from, by its Accept header; null where it only reads one result. */
export function streamFormat(accept: string | undefined): 'sse' | 'multipart' | null {
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) continue;
    if (type === 'text/event-stream') return 'sse';
    if (type === 'multipart/mixed' && parameters.some((parameter) => /^subscriptionspec="?1\.0"?$/.test(parameter)))
      return 'multipart';
  }
  return null;
}

/** Whether a client takes parts of an answer later, as Apollo's clients ask for them. */
export const takesParts = (accept: string | undefined): boolean => /\bdeferspec="?20220824"?/i.test(accept ?? '');

const RESULT_TYPES = ['application/graphql-response+json', 'application/json'] as const;

/** The media type of one result, by the Accept header: JSON where the client has no wish, as GraphQL over HTTP says. */
export function resultType(accept: string | undefined): (typeof RESULT_TYPES)[number] {
  if (!accept || accept === '*/*') return 'application/json';
  const ranges = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';')[0]?.trim());
  return RESULT_TYPES.find((type) => ranges.includes(type)) ?? 'application/json';
}
