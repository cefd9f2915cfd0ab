import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Ask, Turn } from './generator.ts';

/** Which wording asks the model. A change of the wording is a new file: answers are recorded with the version that made them. */
export const PROMPT_VERSION = 'answer.v1';

const INSTRUCTION = readFileSync(new URL(`./prompts/${PROMPT_VERSION}.md`, import.meta.url), 'utf8').trim();

export interface Content {
  role: 'user' | 'model';
  parts: [{ text: string }];
}

export interface Prompt {
  systemInstruction: string;
  contents: Content[];
}

/**
 * About how many tokens a text is: 4 bytes of UTF-8 each. That is the vendor's 4 characters a token for English, and fewer for
 * scripts whose characters say more: 2 for Cyrillic, 4 in 3 tokens for Japanese.
 */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4);

/**
 * What is sent for an ask, within a budget of tokens as `estimateTokens` counts them. What is too much goes in this order: the
 * oldest turns, then the last sources, with the extract as soon as it cites one that went, then the extract. The instruction and
 * the question are always sent.
 *
 * Sources and extract stand as one line of JSON each between two lines that the instruction names. These are random and in none
 * of the texts, and JSON has no line ends within, so that no text can close the data.
 */
export function promptFor(ask: Ask, maxTokens: number, random = () => randomBytes(16).toString('hex')): Prompt {
  const question = clean(ask.question) || '?';
  const sources = ask.sources.map(({ productName, snippet }, place) =>
    record({ source: place + 1, product: productName, text: snippet }),
  );
  const computed = ask.extract ? record({ 'What the shop computed from its data': ask.extract }) : undefined;
  const turns = ask.history.map(turnOf).filter(({ text }) => text !== '');
  const boundary = unused(random, [question, ...sources, computed ?? '', ...turns.map(({ text }) => text)]);

  const systemInstruction = INSTRUCTION.replaceAll('{{boundary}}', boundary);
  const rest = maxTokens - estimateTokens(systemInstruction) - estimateTokens(ending(question));
  const block = (kept: number): string =>
    dataBlock(boundary, sources.slice(0, kept), computed && highestCited(ask.extract) <= kept ? computed : undefined);

  let kept = sources.length;
  while (kept > 0 && estimateTokens(block(kept)) > rest) kept--;
  const data = estimateTokens(block(kept)) > rest ? dataBlock(boundary, [], undefined) : block(kept);
  const history = lastWithin(turns, rest - estimateTokens(data));
  const asked: Content = { role: 'user', parts: [{ text: data + ending(question) }] };
  return { systemInstruction, contents: alternating([...history.map(contentOf), asked]) };
}

const dataBlock = (boundary: string, sources: readonly string[], computed: string | undefined): string =>
  [`DATA-${boundary}`, ...sources, ...(computed ? [computed] : []), `DATA-${boundary}`].join('\n');

const ending = (question: string): string => `\n\nThe question:\n${question}`;

const record = (fields: Record<string, string | number>): string =>
  JSON.stringify(fields, (_, value) => (typeof value === 'string' ? clean(value) : value));

/** The most recent turns that fit, beginning with a question: the vendor wants the user to speak first. */
function lastWithin(turns: readonly Turn[], tokens: number): Turn[] {
  let first = turns.length;
  for (let left = tokens; first > 0; first--) {
    left -= estimateTokens((turns[first - 1] as Turn).text);
    if (left < 0) break;
  }
  const kept = turns.slice(first);
  const question = kept.findIndex(({ role }) => role === 'USER');
  return question < 0 ? [] : kept.slice(question);
}

/** The numbers that an earlier answer cites are not those of this request's sources. */
const turnOf = ({ role, text }: Turn): Turn => ({
  role,
  text: clean(role === 'ASSISTANT' ? text.replace(/\s*\[\d+(\s*,\s*\d+)*\]/g, '') : text),
});

const contentOf = ({ role, text }: Turn): Content => ({
  role: role === 'USER' ? 'user' : 'model',
  parts: [{ text }],
});

/** Turns of the same role in succession, as after a question that got no answer, become one. */
function alternating(contents: readonly Content[]): Content[] {
  const merged: Content[] = [];
  for (const content of contents) {
    const last = merged.at(-1);
    if (last?.role === content.role) last.parts = [{ text: `${textOf(last)}\n\n${textOf(content)}` }];
    else merged.push({ ...content });
  }
  return merged;
}

const textOf = ({ parts }: Content): string => parts[0].text;

const highestCited = (text: string): number =>
  Math.max(0, ...[...text.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number)));

function unused(random: () => string, texts: readonly string[]): string {
  for (;;) {
    const boundary = random();
    if (!texts.some((text) => text.includes(boundary))) return boundary;
  }
}

const CONTROL = /(?![\n\t])\p{Cc}|[\u2028\u2029]/gu;
/** What reorders or hides text: directions, tags, and zero widths other than the joiners that scripts and emoji need. */
const HIDDEN = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/gu;

const clean = (text: string): string =>
  text.replaceAll('\r\n', '\n').toWellFormed().replace(CONTROL, ' ').replace(HIDDEN, '').trim();
