import { checkLength, isStorable } from '../catalog/text.ts';
import { badInput } from '../kit/errors.ts';
import type { TranscriptTurn } from './model.ts';

const MOST_TURNS = 2_000;
const MOST_CHARACTERS = 300_000;
const MOST_LABEL = 100;
const MOST_NOTE = 1_000;
const MOST_SEARCH = 500;

/** What is asked for: a stored chat by its UUID, or a transcript. */
export type Request = { agent: string | null } & ({ conversationId: string } | { transcript: TranscriptTurn[] });

const UUID = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\.[A-Za-z0-9_-]{22})?$/;

/** The UUID of an id as clients see it; null when it is none. A visitor's carries a signature, which staff need not have. */
export const uuidOf = (id: string): string | null => UUID.exec(id.toLowerCase())?.[1] ?? UUID.exec(id)?.[1] ?? null;

/** @throws HashiraError BAD_USER_INPUT */
export function checkRequest(input: {
  conversationId?: string | null;
  transcript?: readonly TranscriptTurn[] | null;
  agent?: string | null;
}): Request {
  const agent = input.agent?.trim() || null;
  if (agent !== null) checkText(agent, 1, MOST_LABEL, 'input.agent');
  const { conversationId, transcript } = input;
  if ((conversationId ?? null) === null ? !transcript : transcript) {
    throw badInput('Give exactly one of "conversationId" and "transcript".', 'input');
  }
  return transcript
    ? { agent, transcript: checkTranscript(transcript) }
    : { agent, conversationId: conversationId as string };
}

function checkTranscript(given: readonly TranscriptTurn[]): TranscriptTurn[] {
  if (given.length < 1 || given.length > MOST_TURNS) {
    throw badInput(`"input.transcript" must have 1 to ${MOST_TURNS} turns, not ${given.length}.`, 'input.transcript');
  }
  const turns = given.map(({ speaker, text }) => ({ speaker: speaker.trim(), text: text.trim() }));
  let characters = 0;
  for (const { speaker, text } of turns) {
    checkText(speaker, 1, MOST_LABEL, 'input.transcript.speaker');
    checkStorable(text, 'input.transcript.text');
    characters += text.length;
  }
  if (characters > MOST_CHARACTERS) {
    throw badInput(
      `"input.transcript" must not be longer than ${MOST_CHARACTERS} characters; it has ${characters}.`,
      'input.transcript',
    );
  }
  const said = turns.filter(({ text }) => text);
  if (said.length === 0) throw badInput('Nobody says anything in "input.transcript".', 'input.transcript');
  return said;
}

/** What a reviewer notes; null when nothing is said. @throws HashiraError BAD_USER_INPUT */
export function checkNote(given: string | null | undefined): string | null {
  const note = given?.trim();
  if (!note) return null;
  checkText(note, 1, MOST_NOTE, 'note');
  return note;
}

/** @throws HashiraError BAD_USER_INPUT */
export function checkFilter(filter: { agent?: string | null; search?: string | null }): void {
  if (filter.agent) checkText(filter.agent, 1, MOST_LABEL, 'filter.agent');
  if (filter.search) checkText(filter.search, 1, MOST_SEARCH, 'filter.search');
}

function checkText(text: string, min: number, max: number, name: string): void {
  checkStorable(text, name);
  checkLength(text, min, max, `"${name}"`, name);
}

function checkStorable(text: string, name: string): void {
  if (!isStorable(text)) throw badInput(`"${name}" has a NUL character or half of a surrogate pair in it.`, name);
}
