/** What full-text search looks for: `complete` in web search syntax, and a word that may be only begun. */
export interface SearchTerms {
  complete: string;
  /** Letters and digits only; null when the query does not end in a plain word. */
  prefix: string | null;
}

/** Reads a query as a person types it: the last word may still be growing, unless quotes, `or` or `-` say more precisely. */
export function toTerms(query: string): SearchTerms {
  const last = /(?<=^|\s)[\p{L}\p{N}]+$/u.exec(query);
  if (!last || hasOperators(query)) return { complete: query, prefix: null };
  return { complete: query.slice(0, last.index), prefix: last[0] };
}

/** Whether a query says precisely, in web search syntax, what it wants. */
export const hasOperators = (query: string): boolean => /"|(?<=^|\s)(-|or(?=\s|$))/i.test(query);
