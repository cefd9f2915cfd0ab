import type { ErrorCode } from '../kit/errors.ts';

export enum MessageRole {
  USER = 'USER',
  ASSISTANT = 'ASSISTANT',
  AGENT = 'AGENT',
}

export enum Feedback {
  UP = 'UP',
  DOWN = 'DOWN',
}

export interface Conversation {
  /** A UUID; what clients get for it says owner.ts. */
  id: string;
  /** Subject of its owner; null for a visitor's. */
  owner: string | null;
  createdAt: Date;
}

/** What an answer rests on. */
export interface Citation {
  productId: string;
  snippet: string;
  score: number;
}

export interface Message {
  id: string;
  conversationId: string;
  /** The conversation's. */
  owner: string | null;
  role: MessageRole;
  text: string;
  /** In the order of the numbers in the text: `[1]` is the first. */
  citations: Citation[];
  model: string | null;
  notice: string | null;
  feedback: Feedback | null;
  feedbackReason: string | null;
  createdAt: Date;
  /** Its place in the order of all messages: digits. */
  position: string;
}

/** What a client sends. */
export interface ChatQuestion {
  conversationId?: string | null;
  clientMessageId: string;
  text: string;
  productId?: string | null;
}

export interface FailedEvent {
  type: 'failed';
  code: ErrorCode;
  message: string;
  retryable: boolean;
  /** Seconds, of RATE_LIMITED. */
  retryAfter: number | null;
  /** What is wrong, of BAD_USER_INPUT. */
  argument: string | null;
}

/** An answer as it comes about: sources, deltas, and completed; or failed, at any time. Nothing follows the last two. */
export type ChatEvent =
  | { type: 'sources'; conversationId: string; owner: string | null; citations: Citation[] }
  | { type: 'delta'; text: string }
  | { type: 'completed'; message: Message }
  | FailedEvent;
