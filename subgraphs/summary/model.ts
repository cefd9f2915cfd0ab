/** One contribution to a conversation. */
export interface TranscriptTurn {
  speaker: string;
  text: string;
}

/** Whether a person has looked at a summary, and what of it. */
export enum ReviewStatus {
  PENDING = 'PENDING',
  APPROVED = 'APPROVED',
  FLAGGED = 'FLAGGED',
}

/** A summary of a conversation. */
export interface Digest {
  /** What the customer wanted and how it ended, in two sentences. */
  summary: string;
  /** One of few, so that recurring problems can be counted. */
  keyIssue: string;
  resolution: string;
  resolved: boolean;
}

/** Who wrote a digest. */
export interface Author {
  /** `summarizer`, or `extractive` where no model's summary held. */
  name: string;
  version: number;
}

/** A digest as it is stored. */
export interface ConversationSummary extends Digest {
  id: string;
  /** Null for a posted transcript. */
  conversationId: string | null;
  transcript: TranscriptTurn[];
  agent: string | null;
  status: ReviewStatus;
  reviewNote: string | null;
  reviewedBy: string | null;
  reviewedAt: Date | null;
  createdAt: Date;
  modelName: string;
  modelVersion: number;
}
