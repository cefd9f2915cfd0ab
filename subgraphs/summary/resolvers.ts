import 'reflect-metadata';
import { Arg, Ctx, Directive, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { decodeCursor, type Page, page, pageSize } from '../kit/connection.ts';
import { ModelVersionReference } from '../kit/types.ts';
import type { SummaryContext } from './context.ts';
import { checkFilter, uuidOf } from './input.ts';
import { type ConversationSummary, ReviewStatus } from './model.ts';
import {
  ConversationReference,
  ConversationSummaryType,
  SummarizeInput,
  SummaryConnection,
  SummaryFilter,
  User,
} from './schema.ts';
import { countSummaries, listSummaries, type Position, type Wanted } from './store.ts';
import { reviewSummary, summarize } from './summaries.ts';

const STAFF = '@requiresScopes(scopes: [["support"], ["admin"]])';
const CONNECTION =
  '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false, sizedFields: ["edges"])';

const isPosition = (position: unknown): position is Position => {
  const { createdAt, id } = (position ?? {}) as Partial<Record<keyof Position, unknown>>;
  return (
    typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt)) && typeof id === 'string' && uuidOf(id) === id
  );
};

/** A page that still knows what it is a page of. */
type Listed = Page<ConversationSummary> & { wanted: Wanted };

@Resolver()
export class SummaryResolver {
  @Query(() => ConversationSummaryType, {
    nullable: true,
    description: 'A summary, for support and admins; null when there is none with this id.',
  })
  @Directive(STAFF)
  summary(
    @Arg('id', () => ID, { description: 'Of the summary.' }) id: string,
    @Ctx() context: SummaryContext,
  ): Promise<ConversationSummary | null> {
    return context.summary(id);
  }

  @Query(() => SummaryConnection, { description: 'All summaries, newest first, for support and admins.' })
  @Directive(STAFF)
  @Directive(CONNECTION)
  async summaries(
    @Ctx() { database }: SummaryContext,
    @Arg('first', () => Int, { nullable: true, description: 'How many summaries, 1 to 100; 20 when not given.' })
    first?: number | null,
    @Arg('after', () => String, { nullable: true, description: 'The cursor of a summary: the page goes on behind it.' })
    after?: string | null,
    @Arg('filter', () => SummaryFilter, { nullable: true, description: 'Which; all when not given.' })
    filter?: SummaryFilter | null,
  ): Promise<Listed> {
    const size = pageSize(first);
    const position = decodeCursor(after, isPosition);
    checkFilter(filter ?? {});
    const wanted: Wanted = {
      status: filter?.status ?? null,
      agent: filter?.agent ?? null,
      resolved: filter?.resolved ?? null,
      from: filter?.from ?? null,
      to: filter?.to ?? null,
      search: filter?.search?.trim() || null,
    };
    const rows = await listSummaries(database, size + 1, wanted, position);
    return { ...page(rows, size, after, ({ createdAt, id }) => ({ createdAt, id })), wanted };
  }

  @Mutation(() => ConversationSummaryType, {
    description:
      'Summarizes a stored chat or a posted transcript, and stores the summary. A chat in which nothing was said since its last ' +
      'summary keeps that one. Fails with NOT_FOUND when there is no such chat, TOO_BUSY when too many wait, ' +
      'SUMMARY_MODEL_UNAVAILABLE.',
  })
  @Directive(STAFF)
  summarizeConversation(
    @Arg('input', () => SummarizeInput, { description: 'What is summarized.' }) input: SummarizeInput,
    @Ctx() context: SummaryContext,
  ): Promise<ConversationSummary> {
    return summarize(context, input, context.signal);
  }

  @Mutation(() => ConversationSummaryType, {
    description:
      'Stores what a person thinks of a summary; the last review stands. Fails with NOT_FOUND when there is none.',
  })
  @Directive(STAFF)
  reviewSummary(
    @Arg('id', () => ID, { description: 'Of the summary.' }) id: string,
    @Arg('status', () => ReviewStatus, { description: 'What the review found.' }) status: ReviewStatus,
    @Ctx() context: SummaryContext,
    @Arg('note', () => String, { nullable: true, description: 'Why, at most 1,000 characters.' }) note?: string | null,
  ): Promise<ConversationSummary> {
    return reviewSummary(context, id, status, note);
  }
}

@Resolver(() => SummaryConnection)
export class SummaryConnectionResolver {
  @FieldResolver(() => Int, { description: 'How many summaries the filter lets through, on all pages.' })
  @Directive('@cost(weight: 5)')
  totalCount(@Root() { wanted }: Listed, @Ctx() { database }: SummaryContext): Promise<number> {
    return countSummaries(database, wanted);
  }
}

@Resolver(() => ConversationSummaryType)
export class ConversationSummaryResolver {
  @FieldResolver(() => ConversationReference, {
    nullable: true,
    description: 'The stored chat that it is of; null for a posted transcript.',
  })
  conversation(@Root() { conversationId }: ConversationSummary): ConversationReference | null {
    return conversationId === null ? null : { id: conversationId };
  }

  @FieldResolver(() => User, { nullable: true, description: 'Who reviewed it last; null when nobody did.' })
  reviewedBy(@Root() { reviewedBy }: ConversationSummary): User | null {
    return reviewedBy === null ? null : { id: reviewedBy };
  }

  @FieldResolver(() => ModelVersionReference, {
    description:
      'What wrote it: a version of the summarizer, 0 for the one that is shipped, or another model by its name. "extractive": it ' +
      'quotes what was said, since no model reads that language or what it wrote did not hold.',
  })
  model(@Root() { modelName, modelVersion }: ConversationSummary): ModelVersionReference {
    return { name: modelName, version: modelVersion };
  }
}
