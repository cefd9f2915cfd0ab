import 'reflect-metadata';
import {
  createUnionType,
  Directive,
  Field,
  Float,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import { DateTimeScalar, PageInfo } from '../kit/types.ts';
import { type ChatEvent, type ChatQuestion, Feedback, MessageRole } from './model.ts';

registerEnumType(MessageRole, {
  name: 'MessageRole',
  description: 'Who wrote a message.',
  valuesConfig: {
    USER: { description: 'The shopper.' },
    ASSISTANT: { description: 'The assistant.' },
    AGENT: { description: 'A person of the shop.' },
  },
});

registerEnumType(Feedback, {
  name: 'Feedback',
  description: 'What a shopper thinks of an answer.',
  valuesConfig: {
    UP: { description: 'It was of use.' },
    DOWN: { description: 'It was not.' },
  },
});

/** What this subgraph says of a product; the catalogue resolves the rest. */
@ObjectType('Product')
@Directive('@key(fields: "id", resolvable: false)')
export class ProductReference {
  @Field(() => ID)
  id: string;
}

@ObjectType('Citation', { description: 'What an answer rests on: a quote from the catalogue.' })
export class CitationType {
  @Field(() => String, { description: 'The quote: a sentence, or an attribute as "name: value".' })
  snippet: string;

  @Field(() => Float, { description: 'How well it fits the question, 0 to 1.' })
  score: number;

  @Field(() => Int, {
    nullable: true,
    description: 'The number in the text that cites it: 2 for "[2]"; null among ChatSources, told before the text.',
  })
  number?: number | null;
}

@ObjectType('Message', { description: 'A message of a conversation.' })
export class MessageType {
  @Field(() => MessageRole, { description: 'Who wrote it.' })
  role: MessageRole;

  @Field(() => String, {
    description: 'What it says. An answer cites by number: "[1]" is the one of its citations that has this number.',
  })
  text: string;

  @Field(() => DateTimeScalar, { description: 'When it was written.' })
  createdAt: Date;

  @Field(() => Feedback, { nullable: true, description: 'What the shopper thinks of it; null when not said.' })
  feedback: Feedback | null;

  @Field(() => String, { nullable: true, description: 'Why the shopper thinks so; null when not said.' })
  feedbackReason: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What wrote an answer, for example "extractive-1", which quotes the catalogue; null for a person.',
  })
  model: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What the reader of an answer should know about how it came about; null when there is nothing.',
  })
  notice: string | null;
}

@ObjectType({ description: 'A message in a list.' })
export class MessageEdge {
  @Field(() => MessageType, { description: 'The message.' })
  node: MessageType;

  @Field(() => String, { description: 'For "after": the list goes on behind this message.' })
  cursor: string;
}

@ObjectType({ description: 'A page of messages.' })
export class MessageConnection {
  @Field(() => [MessageEdge], { description: 'The messages of this page.' })
  edges: MessageEdge[];

  @Field(() => PageInfo, { description: 'Where this page begins and ends.' })
  pageInfo: PageInfo;
}

@ObjectType('Conversation', { description: 'What a shopper and the assistant said to each other.' })
@Directive('@key(fields: "id")')
export class ConversationType {
  @Field(() => DateTimeScalar, { description: 'When it began.' })
  createdAt: Date;
}

@ObjectType('ChatSources', { description: 'What the catalogue has on the question: the first event of an answer.' })
export class ChatSourcesType {}

@ObjectType('ChatDelta', { description: 'The next piece of the answer.' })
export class ChatDeltaType {
  @Field(() => String, {
    description: 'To be appended to the pieces before. All of them together are the text of the message.',
  })
  text: string;
}

@ObjectType('ChatCompleted', { description: 'The answer is whole, and stored: the last event.' })
export class ChatCompletedType {
  @Field(() => MessageType, { description: 'The answer.' })
  message: MessageType;
}

@ObjectType('ChatFailed', {
  description: 'There is no answer, and nothing of it is stored: the last event. What was told before is void.',
})
export class ChatFailedType {
  @Field(() => String, { description: 'A code, as errors have it in "extensions.code".' })
  code: string;

  @Field(() => String, { description: 'What happened, for a person.' })
  message: string;

  @Field(() => Boolean, {
    description: 'Whether the same question with the same "clientMessageId" may be answered later.',
  })
  retryable: boolean;

  @Field(() => Int, { nullable: true, description: 'Seconds to wait before the next question; null when not limited.' })
  retryAfter?: number | null;
}

const EVENT_TYPES = {
  sources: ChatSourcesType,
  delta: ChatDeltaType,
  completed: ChatCompletedType,
  failed: ChatFailedType,
} as const satisfies Record<ChatEvent['type'], new () => object>;

/** An event as the union knows it: by its class. A `resolveType` of ours would be made asynchronous, which compiled operations refuse. */
export const asUnion = (event: ChatEvent): object => Object.assign(new EVENT_TYPES[event.type](), event);

export const ChatEventUnion = createUnionType({
  name: 'ChatEvent',
  description: 'An answer as it comes about: sources, then pieces, then the whole. A failure can end it at any time.',
  types: () => [ChatSourcesType, ChatDeltaType, ChatCompletedType, ChatFailedType] as const,
});

@InputType('ChatInput', { description: 'A question to the assistant.' })
export class ChatInput implements ChatQuestion {
  @Field(() => ID, { nullable: true, description: 'The conversation that it goes on with; none begins a new one.' })
  conversationId?: string | null;

  @Field(() => ID, {
    description:
      'Made by the client, new for each question, best a UUID; 1 to 100 characters. Sent again with the same question, it gets ' +
      'the same answer and is not asked twice.',
  })
  clientMessageId: string;

  @Field(() => String, { description: 'The question, 1 to 2,000 characters.' })
  text: string;

  @Field(() => ID, { nullable: true, description: 'The product that the shopper looks at.' })
  productId?: string | null;
}
