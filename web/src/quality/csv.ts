import type { Summarized } from './all-summaries.ts';

const COLUMNS = [
  'createdAt',
  'agent',
  'keyIssue',
  'summary',
  'resolution',
  'resolved',
  'status',
  'reviewNote',
  'id',
] as const;

export const csvOf = (rows: readonly Summarized[]): string =>
  [COLUMNS.join(','), ...rows.map((row) => COLUMNS.map((column) => cell(row[column])).join(','))].join('\r\n');

/** Spreadsheets run what begins like a formula; a quote before it makes it text. */
function cell(value: string | boolean | null): string {
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hands a text to the browser as a file. */
export function download(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
