/** A table as Markdown, readable as it stands too. @param text how many columns, from the left, hold words and not figures */
export function markdownTable(head: readonly string[], rows: readonly string[][], text = 1): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (value: string, column: number) =>
    column < text ? value.padEnd(widths[column] ?? 0) : value.padStart(widths[column] ?? 0);
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
