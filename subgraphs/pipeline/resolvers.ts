import 'reflect-metadata';
import {
  Arg,
  Ctx,
  Directive,
  FieldResolver,
  Float,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { decodeCursor, page, pageSize } from '../kit/connection.ts';
import { badInput, HashiraError, notFound } from '../kit/errors.ts';
import type { ModelVersion } from '../kit/registry.ts';
import type { PipelineContext } from './context.ts';
import { driftWarning } from './drift.ts';
import { DRIFT_DAYS } from './drift-store.ts';
import { enqueue } from './enqueue.ts';
import { type Job, JobKind, JobStatus, type JsonObject } from './jobs.ts';
import {
  GenerateDataInput,
  JobConnection,
  JobType,
  ModelDrift,
  ModelGate,
  ModelVersionType,
  TrainInput,
  User,
} from './schema.ts';
import { shareOf, splitInput } from './split.ts';
import { findJob, isJobId, type JobPosition, listJobs, requestCancel } from './store.ts';

const ADMIN = '@requiresScopes(scopes: [["admin"]])';
const ADMIN_OR_ANALYST = '@requiresScopes(scopes: [["admin"], ["analyst"]])';
const ADMIN_OR_SUPPORT = '@requiresScopes(scopes: [["admin"], ["support"]])';
const CONNECTION =
  '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false, sizedFields: ["edges"])';

/** As ml/common/card.py names it. */
const CARD = 'MODEL_CARD.md';
const DEFAULT_LOG_LINES = 100;
const MAX_LOG_LINES = 1_000;

const isPosition = (position: unknown): position is JobPosition => {
  const { createdAt, id } = (position ?? {}) as Partial<Record<keyof JobPosition, unknown>>;
  return typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt)) && typeof id === 'string' && isJobId(id);
};

@Resolver()
export class PipelineResolver {
  @Query(() => JobType, { nullable: true, description: 'A job; null when there is none with this id.' })
  @Directive(ADMIN)
  job(
    @Arg('id', () => ID, { description: 'Of the job.' }) id: string,
    @Ctx() { database }: PipelineContext,
  ): Promise<Job | null> {
    return findJob(database, id);
  }

  @Query(() => JobConnection, { description: 'All jobs, newest first.' })
  @Directive(ADMIN)
  @Directive(CONNECTION)
  async jobs(
    @Ctx() { database }: PipelineContext,
    @Arg('first', () => Int, { nullable: true, description: 'How many jobs, 1 to 100; 20 when not given.' })
    first?: number | null,
    @Arg('after', () => String, { nullable: true, description: 'The cursor of a job: the page goes on behind it.' })
    after?: string | null,
    @Arg('kind', () => JobKind, { nullable: true, description: 'Only jobs of this kind.' }) kind?: JobKind | null,
    @Arg('status', () => JobStatus, { nullable: true, description: 'Only jobs with this status.' })
    status?: JobStatus | null,
  ): Promise<JobConnection> {
    const size = pageSize(first);
    const position = decodeCursor(after, isPosition);
    const rows = await listJobs(database, size + 1, { after: position, kind: kind ?? null, status: status ?? null });
    return page(rows, size, after, ({ createdAt, id }) => ({ createdAt, id }));
  }

  @Query(() => [ModelVersionType], { description: 'The versions of the models, by name, newest first.' })
  @Directive(ADMIN_OR_ANALYST)
  @Directive('@listSize(assumedSize: 50)')
  models(
    @Ctx() { registry, signal }: PipelineContext,
    @Arg('name', () => String, { nullable: true, description: 'Only versions of this model.' }) name?: string | null,
  ): Promise<ModelVersion[]> {
    return registry.list(name ?? undefined, signal);
  }

  @Query(() => ModelVersionType, { nullable: true, description: 'A version of a model; null when there is none.' })
  @Directive(ADMIN_OR_ANALYST)
  model(
    @Arg('name', () => String, { description: 'The model.' }) name: string,
    @Arg('version', () => Int, { description: 'The version.' }) version: number,
    @Ctx() { modelVersions }: PipelineContext,
  ): Promise<ModelVersion | null> {
    return modelVersions.load({ name, version });
  }

  @Mutation(() => JobType, {
    description: 'Makes a synthetic shop and puts its catalogue in place of the one generated before.',
  })
  @Directive(ADMIN)
  generateData(
    @Ctx() context: PipelineContext,
    @Arg('input', () => GenerateDataInput, { nullable: true, description: 'How large; a small shop when not given.' })
    input?: GenerateDataInput | null,
  ): Promise<Job> {
    return request(context, JobKind.GENERATE_DATA, { ...input });
  }

  @Mutation(() => JobType, {
    description: 'Makes a clean dataset of all that is in the lake and of what shoppers did since the last time.',
  })
  @Directive(ADMIN)
  prepareDatasets(@Ctx() context: PipelineContext): Promise<Job> {
    return request(context, JobKind.PREPARE_DATASETS, {});
  }

  @Mutation(() => JobType, {
    description:
      'Trains models on the latest dataset. A version that is better than the one in production replaces it.',
  })
  @Directive(ADMIN)
  trainModels(
    @Ctx() context: PipelineContext,
    @Arg('input', () => TrainInput, {
      nullable: true,
      description: 'Which models, and how; recommender and forecaster when not given.',
    })
    input?: TrainInput | null,
  ): Promise<Job> {
    return request(context, JobKind.TRAIN_MODELS, { ...input });
  }

  @Mutation(() => JobType, {
    description:
      'Brings the search index of the catalogue up to date. It follows changes by itself; this is for what it has missed, ' +
      'and for making it anew.',
  })
  @Directive(ADMIN)
  indexCatalog(
    @Ctx() context: PipelineContext,
    @Arg('full', () => Boolean, {
      nullable: true,
      description: 'Whether all of it is made anew; only what has changed when not given.',
    })
    full?: boolean | null,
  ): Promise<Job> {
    return request(context, JobKind.INDEX_CATALOG, { full });
  }

  @Mutation(() => JobType, {
    description:
      'Summarizes all finished chats that have no summary yet, or in which more was said since. Those of single conversations are ' +
      'made by "summarizeConversation".',
  })
  @Directive(ADMIN_OR_SUPPORT)
  summarizeBatch(@Ctx() context: PipelineContext): Promise<Job> {
    return request(context, JobKind.SUMMARIZE_BATCH, {});
  }

  @Mutation(() => JobType, {
    description:
      'Compares the latest dataset with what the models in production were trained on. Done after each preparation by itself.',
  })
  @Directive(ADMIN)
  checkDrift(@Ctx() context: PipelineContext): Promise<Job> {
    return request(context, JobKind.CHECK_DRIFT, {});
  }

  @Mutation(() => JobType, {
    description:
      'Ends a job: a queued one at once, a running one as soon as its worker has ended all its processes. ' +
      'Fails with CONFLICT when the job is finished.',
  })
  @Directive(ADMIN)
  async cancelJob(
    @Arg('id', () => ID, { description: 'Of the job.' }) id: string,
    @Ctx() { database }: PipelineContext,
  ): Promise<Job> {
    const cancelled = await requestCancel(database, id);
    if (cancelled) return cancelled;
    const job = await findJob(database, id);
    if (!job) throw notFound('job', id);
    throw new HashiraError('CONFLICT', `The job is finished (${job.status}); it cannot be cancelled any more.`);
  }

  @Mutation(() => ModelVersionType, {
    description:
      'Puts a version of a model into production: a newer one, or an older one to go back. Ends the split of its traffic.',
  })
  @Directive(ADMIN)
  promoteModel(
    @Arg('name', () => String, { description: 'The model, for example "recommender".' }) name: string,
    @Arg('version', () => Int, { description: 'The version that shall answer.' }) version: number,
    @Ctx() { registry, signal }: PipelineContext,
  ): Promise<ModelVersion> {
    if (version < 1) throw badInput('"version" must be 1 or more.', 'version');
    return registry.setProduction(name, version, signal);
  }

  @Mutation(() => ModelVersionType, {
    description:
      'Lets a version answer a share of the users, always the same ones, beside the one in production. It ends with a share of 0, ' +
      'and when any version is promoted.',
  })
  @Directive(ADMIN)
  splitTraffic(
    @Arg('name', () => String, { description: 'The model; "recommender" can be split.' }) name: string,
    @Arg('version', () => Int, { description: 'The version that challenges the one in production.' }) version: number,
    @Arg('share', () => Float, { description: 'Of the users, 0 to 1.' }) share: number,
    @Ctx() { registry, signal }: PipelineContext,
  ): Promise<ModelVersion> {
    const split = splitInput(name, version, share);
    return registry.setSplit(split.name, split.version, split.share, signal);
  }

  @Subscription(() => JobType, {
    description:
      'A job as it is now, then whenever it has changed, some four times a second at most; ends behind its final state. ' +
      'Fails with NOT_FOUND when there is none with this id.',
    subscribe: ({ args, context }: { args: { id: string }; context: PipelineContext }) =>
      context.progress.watch(args.id, context.signal),
  })
  @Directive(ADMIN)
  @Directive('@tag(name: "shared-stream")')
  jobProgress(
    @Root() job: Job,
    @Arg('id', () => ID, { description: 'Of the job.' }) _id: string,
    @Ctx() context: PipelineContext,
  ): Job {
    context.refresh();
    return job;
  }
}

function request(context: PipelineContext, kind: JobKind, input: JsonObject): Promise<Job> {
  return enqueue(context, kind, input, context.identity?.subject ?? null);
}

@Resolver(() => JobType)
export class JobResolver {
  @FieldResolver(() => User, { nullable: true, description: 'Who asked for it; null when the system itself did.' })
  requestedBy(@Root() { requestedBy }: Job): User | null {
    return requestedBy === null ? null : { id: requestedBy };
  }

  @FieldResolver(() => [String], { description: 'The last lines of its log, oldest first.' })
  @Directive('@listSize(assumedSize: 100, slicingArguments: ["last"], requireOneSlicingArgument: false)')
  // A line counts, so that the logs of all jobs cannot be asked for at once.
  @Directive('@cost(weight: 1)')
  async logs(
    @Root() { id }: Job,
    @Ctx() { logs }: PipelineContext,
    @Arg('last', () => Int, {
      nullable: true,
      defaultValue: DEFAULT_LOG_LINES,
      description: `How many lines, 1 to ${MAX_LOG_LINES}.`,
    })
    last: number | null,
  ): Promise<string[]> {
    const lines = last ?? DEFAULT_LOG_LINES;
    if (lines < 1 || lines > MAX_LOG_LINES) {
      throw badInput(`"last" must be between 1 and ${MAX_LOG_LINES}, not ${lines}.`, 'last');
    }
    return logs(lines).load(id);
  }
}

@Resolver(() => ModelVersionType)
export class ModelVersionResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description: 'Its model card, in Markdown: data, measures beside the baselines, gate, use and limits.',
  })
  @Directive(ADMIN_OR_ANALYST)
  // A request of the registry each.
  @Directive('@cost(weight: 5)')
  async card(
    @Root() { name, version }: ModelVersion,
    @Ctx() { registry, signal }: PipelineContext,
  ): Promise<string | null> {
    return version === 0 ? null : registry.text(name, version, CARD, signal);
  }

  @FieldResolver(() => ModelGate, {
    nullable: true,
    description: 'Whether it may go into production, and why. Null for what no training of ours has registered.',
  })
  @Directive(ADMIN_OR_ANALYST)
  gate(@Root() { tags }: ModelVersion): ModelGate | null {
    return tags.gate ? { passed: tags.gate === 'passed', reason: tags['gate.reason'] ?? '' } : null;
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description:
      'Of the users, those whom it answers: 1 in production, unless its traffic is split. Null: not registered.',
  })
  @Directive(ADMIN_OR_ANALYST)
  async share(@Root() version: ModelVersion, @Ctx() { splits }: PipelineContext): Promise<number | null> {
    return version.version === 0 ? null : shareOf(version, await splits.load(version.name));
  }

  @FieldResolver(() => [ModelDrift], {
    description: 'How far its features and predictions have moved since its training: newest day first, by feature.',
  })
  @Directive(ADMIN_OR_ANALYST)
  @Directive('@listSize(assumedSize: 30)')
  async drift(
    @Root() version: ModelVersion,
    @Ctx() { drift }: PipelineContext,
    @Arg('days', () => Int, {
      nullable: true,
      defaultValue: 1,
      description: `Of so many days on which it was looked at, the newest first, 1 to ${DRIFT_DAYS}.`,
    })
    days: number | null,
  ): Promise<ModelDrift[]> {
    const most = days ?? 1;
    if (most < 1 || most > DRIFT_DAYS) throw badInput(`"days" must be between 1 and ${DRIFT_DAYS}.`, 'days');
    const all = await drift.load(version);
    const wanted = new Set([...new Set(all.map(({ day }) => day))].slice(0, most));
    return all.filter(({ day }) => wanted.has(day));
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'What is wrong with it, for a person: its data have drifted beyond DRIFT_THRESHOLD. Null: nothing is.',
  })
  @Directive(ADMIN_OR_ANALYST)
  async warning(
    @Root() version: ModelVersion,
    @Ctx() { drift, driftThreshold }: PipelineContext,
  ): Promise<string | null> {
    return driftWarning(await drift.load(version), driftThreshold);
  }
}
