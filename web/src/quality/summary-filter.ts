import type { ReviewStatus, SummaryFilter } from '../graphql/graphql.ts';

export const STATUSES: Record<ReviewStatus, string> = {
  PENDING: 'To review',
  APPROVED: 'Approved',
  FLAGGED: 'Flagged',
};

/** The filter of the list as the address has it. Days are the reader's own, from midnight to midnight. */
export function readSummaryFilter(params: URLSearchParams): SummaryFilter {
  const status = params.get('status') ?? '';
  const resolved = params.get('resolved');
  const text = (name: string) => params.get(name)?.trim() || null;
  const from = midnight(params.get('from'), 0);
  const to = midnight(params.get('to'), 1);
  return {
    ...(Object.hasOwn(STATUSES, status) ? { status: status as ReviewStatus } : {}),
    ...(resolved ? { resolved: resolved === 'yes' } : {}),
    ...(text('agent') ? { agent: text('agent') } : {}),
    ...(text('search') ? { search: text('search') } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  };
}

/** @param date such as 2026-11-24 @param later so many days */
function midnight(date: string | null, later: number): string | null {
  const [year, month, day] = (date ?? '').split('-').map(Number);
  if (!year || !month || !day) return null;
  return new Date(year, month - 1, day + later).toISOString();
}
