/** Logs are read by people and kept: what gives access does not belong there. */
const NAME = String.raw`[\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_.-]?key|signature)(?:[._-]?key)?["']?\s*[=:]\s*`;
const PATTERNS: [RegExp, string][] = [
  // scheme://user:password@host
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1***@'],
  [/\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi, '$1 ***'],
  // name = "value", name: value
  [new RegExp(String.raw`\b(${NAME})(["'])(?:(?!\2).)*\2`, 'gi'), '$1$2***$2'],
  [new RegExp(String.raw`\b(${NAME})[^\s"'&,;]+`, 'gi'), '$1***'],
];

const MAX_LINE_BYTES = 2_000;

/** @param secrets values that must not appear wherever they come from */
export function createRedactor(secrets: readonly (string | undefined)[]): (line: string) => string {
  const known = secrets.filter((secret): secret is string => secret !== undefined && secret.length >= 6);
  return (line) => {
    let text = line.slice(0, 4 * MAX_LINE_BYTES).replaceAll('\0', '');
    for (const secret of known) text = text.replaceAll(secret, '***');
    for (const [pattern, replacement] of PATTERNS) text = text.replace(pattern, replacement);
    return cut(text);
  };
}

/** Cut to 2 kB of UTF-8, without half a character at the end. */
function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_LINE_BYTES) return text;
  let end = MAX_LINE_BYTES - 3;
  // A continuation byte at the cut belongs to a character that began before it.
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString()}…`;
}
