import 'reflect-metadata';
import { Directive, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { DateTimeScalar, PageInfo } from '../kit/types.ts';
import { ReviewStatus } from './model.ts';

registerEnumType(ReviewStatus, {
  name: 'ReviewStatus',
  description: 'What a person thinks of a summary.',
  valuesConfig: {
    PENDING: { description: 'Nobody has looked at it yet.' },
    APPROVED: { description: 'It is right.' },
    FLAGGED: { description: 'It is wrong, or the conversation needs attention.' },
  },
});

@ObjectType({ description: 'A person with an account.' })
@Directive('@key(fields: "id", resolvable: false)')
export class User {
  @Field(() => ID, { description: "The subject of the person's access tokens." })
  id: string;
}

/** What this subgraph says of a stored chat; the chat subgraph resolves the rest. */
@ObjectType('Conversation')
@Directive('@key(fields: "id", resolvable: false)')
export class ConversationReference {
  @Field(() => ID)
  id: string;
}

@ObjectType({ description: 'What one speaker said.' })
export class TranscriptTurn {
  @Field(() => String, { description: 'Who, for example "Customer".' })
  speaker: string;

  @Field(() => String, { description: 'What.' })
  text: string;
}

@ObjectType('ConversationSummary', { description: 'A summary of a conversation with support.' })
@Directive('@key(fields: "id")')
export class ConversationSummaryType {
  @Field(() => ID, { description: 'Never changes.' })
  id: string;

  @Field(() => String, { description: 'What the customer wanted and how it ended.' })
  summary: string;

  @Field(() => String, { description: 'What it is about: one of few, so that recurring problems can be counted.' })
  keyIssue: string;

  @Field(() => String, { description: 'How it ended.' })
  resolution: string;

  @Field(() => Boolean, { description: "Whether the customer's matter was settled in the conversation." })
  resolved: boolean;

  @Field(() => [TranscriptTurn], { description: 'The conversation, in order.' })
  @Directive('@listSize(assumedSize: 20)')
  transcript: TranscriptTurn[];

  @Field(() => String, { nullable: true, description: 'Who served the customer; null when not known.' })
  agent: string | null;

  @Field(() => ReviewStatus, { description: 'What the review found.' })
  status: ReviewStatus;

  @Field(() => String, { nullable: true, description: 'What the reviewer noted.' })
  reviewNote: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was reviewed last; null when never.' })
  reviewedAt: Date | null;

  @Field(() => DateTimeScalar, { description: 'When it was written.' })
  createdAt: Date;
}

@ObjectType({ description: 'A summary in a list.' })
export class SummaryEdge {
  @Field(() => ConversationSummaryType, { description: 'The summary.' })
  node: ConversationSummaryType;

  @Field(() => String, { description: 'For "after": the list goes on behind this summary.' })
  cursor: string;
}

@ObjectType({ description: 'A page of summaries, newest first.' })
export class SummaryConnection {
  @Field(() => [SummaryEdge], { description: 'The summaries of this page.' })
  edges: SummaryEdge[];

  @Field(() => PageInfo, { description: 'Where the page begins and ends.' })
  pageInfo: PageInfo;
}

@InputType({ description: 'What one speaker said.' })
export class TranscriptTurnInput {
  @Field(() => String, { description: 'Who, for example "Customer"; 1 to 100 characters.' })
  speaker: string;

  @Field(() => String, { description: 'What.' })
  text: string;
}

@InputType({ description: 'What is summarized: a stored chat or a transcript, exactly one of them.' })
export class SummarizeInput {
  @Field(() => ID, { nullable: true, description: 'A stored chat.' })
  conversationId?: string | null;

  @Field(() => [TranscriptTurnInput], {
    nullable: true,
    description: 'Any conversation: 1 to 2,000 turns, at most 300,000 characters.',
  })
  transcript?: TranscriptTurnInput[] | null;

  @Field(() => String, { nullable: true, description: 'Who served the customer, at most 100 characters.' })
  agent?: string | null;
}

@InputType({ description: 'Which summaries are listed. All that is given must hold.' })
export class SummaryFilter {
  @Field(() => ReviewStatus, { nullable: true, description: 'What the review found.' })
  status?: ReviewStatus | null;

  @Field(() => String, { nullable: true, description: 'Who served the customer.' })
  agent?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether the matter was settled.' })
  resolved?: boolean | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Written at this instant or later.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Written before this instant.' })
  to?: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Words in summary or transcript; "several in a row" in quotes, -without one by a minus.',
  })
  search?: string | null;
}
