import 'reflect-metadata';
import { GraphQLError } from 'graphql';
import {
  Arg,
  Ctx,
  Directive,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { decodeCursor, page, pageSize } from '../kit/connection.ts';
import { HashiraError } from '../kit/errors.ts';
import type { ChatContext } from './context.ts';
import { type ChatEvent, type Citation, type Conversation, type FailedEvent, Feedback, type Message } from './model.ts';
import { rateMessage } from './rating.ts';
import {
  asUnion,
  ChatEventUnion,
  ChatInput,
  ChatSourcesType,
  CitationType,
  ConversationType,
  MessageConnection,
  MessageType,
  ProductReference,
} from './schema.ts';

const CONNECTION =
  '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false, sizedFields: ["edges"])';
const CITATIONS = '@listSize(assumedSize: 10)';

/** A PostgreSQL bigint in digits. */
const isPosition = (position: unknown): position is string =>
  typeof position === 'string' && /^[0-9]{1,18}$/.test(position);

@Resolver()
export class ChatResolver {
  @Query(() => ConversationType, {
    nullable: true,
    description:
      'A conversation, for its owner, support and admins; null for others, and when there is none. A visitor proves by the id ' +
      'itself, as it was given to them, that the conversation is theirs.',
  })
  conversation(
    @Arg('id', () => ID, { description: 'Of the conversation.' }) id: string,
    @Ctx() context: ChatContext,
  ): Promise<Conversation | null> {
    return context.conversation(id);
  }

  @Mutation(() => MessageType, {
    description:
      'Asks the assistant; the answer in one piece. Fails with NOT_FOUND when the conversation is not the own, CONFLICT when the ' +
      '"clientMessageId" was used for another question, RATE_LIMITED, TOO_BUSY, CHAT_MODEL_UNAVAILABLE, ANSWER_BLOCKED.',
  })
  async sendMessage(
    @Arg('input', () => ChatInput, { description: 'What is asked.' }) input: ChatInput,
    @Ctx() context: ChatContext,
  ): Promise<Message> {
    for await (const event of context.answers.ask(input, context)) {
      if (event.type === 'completed') return event.message;
      if (event.type === 'failed') throw asError(event);
    }
    // Only for who has left.
    context.signal?.throwIfAborted();
    throw new HashiraError('CHAT_MODEL_UNAVAILABLE', 'The answer was cancelled.');
  }

  @Mutation(() => MessageType, {
    description:
      "Rates an answer in a conversation of one's own; the last rating stands. Fails with NOT_FOUND when there is no such message.",
  })
  rateMessage(
    @Arg('id', () => ID, { description: 'Of the answer.' }) id: string,
    @Arg('feedback', () => Feedback, { description: 'What the shopper thinks of it.' }) feedback: Feedback,
    @Ctx() context: ChatContext,
    @Arg('reason', () => String, { nullable: true, description: 'Why, at most 1,000 characters.' })
    reason?: string | null,
  ): Promise<Message> {
    return rateMessage(context, id, feedback, reason);
  }

  @Subscription(() => ChatEventUnion, {
    description:
      'Asks the assistant; the answer as it comes about: first the sources, then the text in pieces, then the whole. Everything ' +
      'that goes wrong is told as ChatFailed. Ending the subscription cancels the answer.',
    subscribe: ({ args, context }: { args: { input: ChatInput }; context: ChatContext }) =>
      context.answers.ask(args.input, context),
  })
  chat(
    @Root() event: ChatEvent,
    @Arg('input', () => ChatInput, { description: 'What is asked.' }) _input: ChatInput,
  ): object {
    return asUnion(event);
  }
}

/** What was told as an event, thrown. No HashiraError: the operator's log has it already. */
function asError({ code, message, retryAfter, argument }: FailedEvent): GraphQLError {
  const details = { ...(retryAfter === null ? {} : { retryAfter }), ...(argument === null ? {} : { argument }) };
  return new GraphQLError(message, { extensions: { ...details, code } });
}

@Resolver(() => ConversationType)
export class ConversationResolver {
  @FieldResolver(() => ID, {
    description: "Never changes. A visitor's is the proof that it is theirs: whoever has it may read and go on.",
  })
  id(@Root() { id, owner }: Conversation, @Ctx() { ids, identity }: ChatContext): string {
    return ids.shown('conversation', id, owner, identity);
  }

  @FieldResolver(() => MessageConnection, { description: 'Its messages, oldest first.' })
  @Directive(CONNECTION)
  async messages(
    @Root() { id }: Conversation,
    @Ctx() context: ChatContext,
    @Arg('first', () => Int, { nullable: true, description: 'How many messages, 1 to 100; 20 when not given.' })
    first?: number | null,
    @Arg('after', () => String, { nullable: true, description: 'The cursor of a message: the page goes on behind it.' })
    after?: string | null,
  ) {
    const size = pageSize(first);
    const position = decodeCursor(after, isPosition);
    const rows = await context.messages(position, size + 1).load(id);
    return page(rows, size, after, (message) => message.position);
  }
}

@Resolver(() => MessageType)
export class MessageResolver {
  @FieldResolver(() => ID, { description: "Never changes. A visitor's is the proof that they may rate it." })
  id(@Root() { id, owner }: Message, @Ctx() { ids, identity }: ChatContext): string {
    return ids.shown('message', id, owner, identity);
  }

  @FieldResolver(() => ID, { description: 'The conversation that it belongs to.' })
  conversationId(@Root() { conversationId, owner }: Message, @Ctx() { ids, identity }: ChatContext): string {
    return ids.shown('conversation', conversationId, owner, identity);
  }

  @FieldResolver(() => [CitationType], {
    description: 'What an answer rests on, in the order of its numbers, without products that the shop has no longer.',
  })
  @Directive(CITATIONS)
  citations(@Root() { citations }: Message, @Ctx() context: ChatContext): Promise<Citation[]> {
    // Numbered before any is left out: the text keeps its numbers.
    return withProducts(
      citations.map((citation, place) => ({ ...citation, number: place + 1 })),
      context,
    );
  }
}

@Resolver(() => ChatSourcesType)
export class ChatSourcesResolver {
  @FieldResolver(() => ID, { description: 'The conversation, to go on with.' })
  conversationId(
    @Root() { conversationId, owner }: ChatEvent & { type: 'sources' },
    @Ctx() { ids, identity }: ChatContext,
  ): string {
    return ids.shown('conversation', conversationId, owner, identity);
  }

  @FieldResolver(() => [CitationType], {
    description: 'What the answer may rest on, the best first; none when the catalogue has nothing on the question.',
  })
  @Directive(CITATIONS)
  citations(@Root() { citations }: ChatEvent & { type: 'sources' }, @Ctx() context: ChatContext): Promise<Citation[]> {
    return withProducts(citations, context);
  }
}

/** Those whose product the catalogue still has: another could not be shown. */
async function withProducts<C extends Citation>(citations: readonly C[], { products }: ChatContext): Promise<C[]> {
  const found = await Promise.all(citations.map(({ productId }) => products.load(productId)));
  return citations.filter((_, index) => found[index]);
}

@Resolver(() => CitationType)
export class CitationResolver {
  @FieldResolver(() => ProductReference, { description: 'The product that is quoted.' })
  product(@Root() { productId }: Citation): ProductReference {
    return { id: productId };
  }
}
