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
  /\b(to|have|let|get|ask|make) (the|this|that|each|every|any|all) (customers?|users?|visitors?|shoppers?|buyers?)\b/,
  /\b(your|all|every|previous|prior|earlier|their) (guidelines?|instructions?|rules|answers?|repl(y|ies)|responses?|messages?|outputs?|role)\b/,
  /\b(the|dear|hello|hi|there,?) model\b.{0,10}(shall|must|should|has to|will|!|,)|\b(ai|machines?|bots?|systems?) (systems?|agents?|models?|that (process|read)|reading)\b|\bif you are an? (machine|ai|bot|program)\b/,
  /\b(recommend|rate|prefer|praise)\b.{0,40}\b(in place of|instead of|as better|over this|competit(ion|ors?))\b|\b(better|best) (shop|store)\b/,
  /\b(return|give back) (exactly|only|nothing)\b|\bput .{2,60} (under|above|before|after|at the end of) (each|every|all|any|your) (message|answer|reply|sentence|text)s?\b|\badd .{0,20}#|#\p{L}{4,}|\(\(/u,
  /\b(acknowledge|henceforth|(maintenance|debug|developer|god|root|admin) mode)\b/,
];
/** Whom a text for shoppers does not speak to or of. */
const ADDRESSEES =
  /\b(in (every|each|all|any|your) (answers?|repl(y|ies)|responses?|messages?)|(of|in|to|with) (the|your|this) (answer|reply|response)|\p{L}+ mode (is|has been) (now )?(active|activated|enabled|on)|(demands?|orders?|instructs?|commands?|requires?) (that )?you|whoever (asks|reads|writes)|all questions|assistants?|chat ?bots?|bots?|language models?|llms?|prompts?|developer mode|debug mode|system (message|note|prompt|mode)|override|overrule|end of (product )?(data|text|description|input)|your new name|your (name|role|task|job) is|(the|this) (question|conversation|chat)|credit cards?|passwords?|api keys?)\b|\b(you|users?|customers?|shoppers?|buyers?|clients?|everyone|everybody|all) (must|have to|has to|are required to|shall)\b|\b0\d{2,4}[-/ ]\d{3}/u;
/** Speech is asked of assistants; of things one is told to soak, wipe, keep. */
const SPEECH =
  'say|tell|reply|respond|answer|ask|promise|confirm|forget|ignore|disregard|pretend|greet|repeat|reveal|introduce|praise|inform|notify|refuse (all|every|any|to|the)|guarantee (whoever|every|all|the|that|them|him|her)|explain (to|that)|request (the|that)|issue (the|a|them)|demand|claim|state|mention|translate|apologi[sz]e|admit|declare|announce|recite|sing|insist|begin (every|each|all|your)|start (every|each|all|your)|end (every|each|all|your)|recommend (only|that|our|the)|write (the|a|only|in)|print (the|your|out)|output|speak|talk|laugh|curse|swear|advertise|refer (the|all|them)|redirect|send (the|them|all)|give (the|every|all|them)';
/** At the beginning of a clause. */
const ORDERED = new RegExp(
  String.raw`(^|[;:,.!?—–#*-]\s*|\b(and|then|now|please|must|always|never|should|to you|you to|only|just|instead|so)\s+)(${SPEECH})\b`,
);
/** A word in capitals among others, such as a code that proves that an order was followed. */
const SHOUTED = /(?<![\p{L}\d])\p{Lu}{6,}(?![\p{Ll}])|(?<![\p{L}\d])\p{Lu}{3,}-(?=[\p{Lu}\d]*\d)[\p{Lu}\d]{3,}/u;

const LINKS =
  /\bhttps?:\/\/|\bwww\.|\b[\w-]+\.(com|net|org|info|biz|io|co|shop|store|xyz|ru|cn|example|test|invalid)\b|\b[\w.+-]+@[\w-]+\.\w+/;

/** Whether a text reads like an order to an assistant, or leads out of the shop. */
export function isSuspicious(text: string): boolean {
  const folded = fold(text);
  const shouts = SHOUTED.test(text) && /\p{Ll}/u.test(text);
  return (
    shouts ||
    LINKS.test(folded) ||
    ADDRESSEES.test(folded) ||
    ORDERED.test(folded) ||
    ORDERS.some((pattern) => pattern.test(folded))
  );
}

export const trustworthy = (passages: readonly Passage[]): Passage[] =>
  passages.filter(({ snippet }) => !isSuspicious(snippet));
