import 'reflect-metadata';
import { Directive, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateScalar, DateTimeScalar, JsonScalar, PageInfo } from '../kit/types.ts';
import { GENERATE_RANGES, MODELS } from './inputs.ts';
import { JobKind, JobStatus, type JsonObject } from './jobs.ts';

registerEnumType(JobKind, {
  name: 'JobKind',
  description: 'What a job does.',
  valuesConfig: {
    GENERATE_DATA: { description: 'Makes a synthetic shop: catalogue, users, events and sales, in the data lake.' },
    PREPARE_DATASETS: { description: 'Cleans what is in the lake into a new version of the dataset.' },
    TRAIN_MODELS: { description: 'Trains models on the latest dataset, registers them, and promotes what is better.' },
    INDEX_CATALOG: { description: 'Brings the search index of the catalogue up to date.' },
    CHECK_DRIFT: {
      description: 'Compares the latest dataset with the data that the models in production were trained on.',
    },
    SUMMARIZE_BATCH: { description: 'Summarizes the finished chats that have no summary yet.' },
  },
});

registerEnumType(JobStatus, {
  name: 'JobStatus',
  description: 'Where a job is in its life.',
  valuesConfig: {
    QUEUED: { description: 'Waits for a worker, or for another job to end.' },
    RUNNING: { description: 'A worker is at it.' },
    SUCCEEDED: { description: 'Done; there is a result.' },
    FAILED: { description: 'Ended with an error.' },
    CANCELLED: { description: 'Ended because somebody asked for it.' },
  },
});

@ObjectType({ description: 'A person with an account.' })
@Directive('@key(fields: "id", resolvable: false)')
export class User {
  @Field(() => ID, { description: "The subject of the person's access tokens." })
  id: string;
}

@ObjectType('Job', { description: 'A long task that a worker does: Spark, training.' })
@Directive('@key(fields: "id")')
export class JobType {
  @Field(() => ID, { description: 'Never changes.' })
  id: string;

  @Field(() => JobKind, { description: 'What it does.' })
  kind: JobKind;

  @Field(() => JobStatus, { description: 'Where it is in its life.' })
  status: JobStatus;

  @Field(() => Float, { description: 'How much is done, 0 to 1. A run that starts over begins at 0 again.' })
  progress: number;

  @Field(() => String, { nullable: true, description: 'What is being done now; null when it does not run.' })
  stage: string | null;

  @Field(() => DateTimeScalar, { description: 'When it was asked for.' })
  createdAt: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When its latest run began.' })
  startedAt: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  finishedAt: Date | null;

  @Field(() => String, { nullable: true, description: 'Why it failed, for a person.' })
  error: string | null;

  @Field(() => JsonScalar, { nullable: true, description: 'What came out of it: counts, the data version, models, …' })
  result: JsonObject | null;

  @Field(() => Int, { description: 'How often it was tried. It is tried again when its worker dies.' })
  attempts: number;
}

@ObjectType({ description: 'A job in a list.' })
export class JobEdge {
  @Field(() => JobType, { description: 'The job.' })
  node: JobType;

  @Field(() => String, { description: 'For "after": the list goes on behind this job.' })
  cursor: string;
}

@ObjectType({ description: 'A page of jobs, newest first.' })
export class JobConnection {
  @Field(() => [JobEdge], { description: 'The jobs of this page.' })
  edges: JobEdge[];

  @Field(() => PageInfo, { description: 'Where the page begins and ends.' })
  pageInfo: PageInfo;
}

@ObjectType('ModelVersion', { description: 'A trained model in the registry.' })
@Directive('@key(fields: "name version")')
export class ModelVersionType {
  @Field(() => String, { description: 'The model, for example "recommender".' })
  name: string;

  @Field(() => Int, { description: 'Counts up from 1 for each model.' })
  version: number;

  @Field(() => Boolean, { description: 'Whether this version answers now.' })
  production: boolean;

  @Field(() => JsonScalar, {
    description: 'Measured on the test split: by who was measured ("ours", the baselines, "ceiling"), then by metric.',
  })
  metrics: JsonObject;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was registered.' })
  createdAt: Date | null;

  @Field(() => String, { description: 'The training run that made it.' })
  runId: string;

  @Field(() => String, { description: 'The version of the dataset it was trained on.' })
  dataVersion: string;
}

@ObjectType({ description: 'How far a feature of a model, or what it says, had moved on a day.' })
export class ModelDrift {
  @Field(() => DateScalar, { description: 'The day, in UTC.' })
  day: string;

  @Field(() => String, { description: 'The feature; "prediction" is what the model says.' })
  feature: string;

  @Field(() => Float, {
    description:
      'Population stability index between the last four weeks of the training data and of the latest dataset of that day: 0 is the same, above 0.2 is commonly called moved.',
  })
  psi: number;
}

@ObjectType({ description: 'Whether a version may go into production.' })
export class ModelGate {
  @Field(() => Boolean, { description: 'Whether it may.' })
  passed: boolean;

  @Field(() => String, { description: 'Why, or why not: what it was compared with, and how it can be served.' })
  reason: string;
}

const range = (field: keyof typeof GENERATE_RANGES): string => {
  const { min, max, default: normal } = GENERATE_RANGES[field];
  return `${min} to ${max}; ${normal} when not given.`;
};

@InputType({ description: 'How large a synthetic shop is made.' })
export class GenerateDataInput {
  @Field(() => Int, { nullable: true, description: `Users, ${range('users')}` })
  users?: number | null;

  @Field(() => Int, { nullable: true, description: `Products, ${range('products')}` })
  products?: number | null;

  @Field(() => Int, { nullable: true, description: `Days of history, ${range('days')}` })
  days?: number | null;

  @Field(() => Int, { nullable: true, description: `Views, cart adds and purchases in all, ${range('interactions')}` })
  interactions?: number | null;

  @Field(() => Int, { nullable: true, description: `The same seed makes the same shop, ${range('seed')}` })
  seed?: number | null;

  @Field(() => DateScalar, { nullable: true, description: 'Last day of the history; yesterday when not given.' })
  endDate?: string | null;
}

@InputType({ description: 'What is trained, and how.' })
export class TrainInput {
  @Field(() => [String], {
    nullable: true,
    description: `One or more of ${MODELS.join(', ')}; the first two when not given.`,
  })
  models?: string[] | null;

  @Field(() => JsonScalar, {
    nullable: true,
    description: 'An object with values that replace those of ml/params.yaml, at most 10 kB.',
  })
  params?: JsonObject | null;
}
