import { createHash } from 'node:crypto';
import { checkLength, isStorable } from '../catalog/text.ts';
import { badInput } from '../kit/errors.ts';
import type { ChatQuestion } from './model.ts';

/** A question that may be stored. */
export interface Question {
  clientMessageId: string;
  text: string;
  productId: string | null;
  /** Of text and product: what a retry must have in common with the first try. */
  content: Buffer;
}

const MAX_TEXT = 2_000;
const MAX_ID = 100;
/** The catalogue has no longer ids. */
const MAX_PRODUCT_ID = 1_000;

/** @throws HashiraError BAD_USER_INPUT */
export function checkQuestion(input: ChatQuestion): Question {
  const text = input.text.trim();
  checkText(text, 1, MAX_TEXT, 'input.text');
  checkText(input.clientMessageId, 1, MAX_ID, 'input.clientMessageId');
  const productId = input.productId ?? null;
  if (productId !== null) checkText(productId, 1, MAX_PRODUCT_ID, 'input.productId');
  const content = createHash('sha256')
    .update(JSON.stringify([text, productId]))
    .digest();
  return { clientMessageId: input.clientMessageId, text, productId, content };
}

const MAX_REASON = 1_000;

/** Why an answer was rated as it was; null when nothing is said. @throws HashiraError BAD_USER_INPUT */
export function checkReason(given: string | null | undefined): string | null {
  const reason = given?.trim();
  if (!reason) return null;
  checkText(reason, 1, MAX_REASON, 'reason');
  return reason;
}

function checkText(text: string, min: number, max: number, name: string): void {
  if (!isStorable(text)) throw badInput(`"${name}" has a NUL character or half of a surrogate pair in it.`, name);
  checkLength(text, min, max, `"${name}"`, name);
}
