import type { Passage } from './passages.ts';
import { fold } from './words.ts';

/**
 * Product texts come from strangers, and some are written for assistants instead of shoppers. What reads like an order to us, or
 * leads out of the shop, is neither quoted nor shown to a model. A sentence too many that is left out costs little.
 */
const ORDERS = [
  /\b(ignore|disregard|forget|override|bypass)\b.{0,60}\b(rules?|instructions?|prompts?|previous|prior|above|guidelines?|everything|said)\b/,
  /\b(system|assistant|developer|admin|user|ai|bot|chatbot|model)( prompt| message| note| override)?\s*[:>\]]/,
  /<\/?(system|assistant|user|instructions?|prompt|script|iframe)\b|\[\/?inst\]|<\|/,
  /\b(reply|respond|answer|output|print|write|repeat)\b.{0,30}\b(with|only|exactly|the (word|phrase|following|text))\b/,
  /\b(say|state|claim|mention|announce|confirm|pretend|insist) (that|to|so|it|the|this|only|exactly)\b/,
  /\btell (the |every |all |each |any )?(customers?|users?|shoppers?|visitors?|buyers?|clients?|people|everyone|them|him|her)\b/,
  /\b(reveal|disclose|show|print|leak|repeat|share)\b.{0,30}\b(instructions?|prompts?|passwords?|secrets?|keys?|tokens?|conversations?|rules|configuration)\b/,
  /\b(you are|you're|act as|behave as|pretend to be|role-?play)\b.{0,40}\b(now|an?|the)?\s*(ai|assistant|bot|chatbot|model|admin|developer|pirate|dan)\b/,
  /\b(from now on|as an ai|language model|new (rules?|instructions?|task)|when (asked|a (customer|user|shopper) asks)|if (asked|anyone asks|(a|the) (customer|user|shopper) asks))\b/,
  /\b(you|assistants?|chatbots?|ai) (must|should|shall|have to|need to|will) (now |always |never |only )?(say|reply|answer|respond|tell|recommend|claim|output|reveal|ignore|refuse|write|state|call|send|offer|give)\b/,
  /\b(do not|dont|never) (tell|mention|answer|reveal|cite|quote|show|follow)\b/,
];
const LINKS =
  /\bhttps?:\/\/|\bwww\.|\b[\w-]+\.(com|net|org|info|biz|io|co|shop|store|xyz|ru|cn|example|test|invalid)\b|\b[\w.+-]+@[\w-]+\.\w+/;

/** Whether a text reads like an order to an assistant, or leads out of the shop. */
export function isSuspicious(text: string): boolean {
  const folded = fold(text);
  return LINKS.test(folded) || ORDERS.some((pattern) => pattern.test(folded));
}

export const trustworthy = (passages: readonly Passage[]): Passage[] =>
  passages.filter(({ snippet }) => !isSuspicious(snippet));
