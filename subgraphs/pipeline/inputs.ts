import { badInput } from '../kit/errors.ts';
import { JobKind, type JsonObject } from './jobs.ts';

/** What `generateData` makes, per field: the range allowed and the value when not given. */
export const GENERATE_RANGES = {
  users: { min: 10, max: 10_000_000, default: 5_000 },
  products: { min: 10, max: 1_000_000, default: 500 },
  days: { min: 60, max: 3_650, default: 365 },
  interactions: { min: 100, max: 1_000_000_000, default: 500_000 },
  seed: { min: 0, max: 2_147_483_647, default: 42 },
} as const;

/** Models that `trainModels` can train, and those that it trains when none are named. */
export const MODELS = ['recommender', 'forecaster', 'summarizer'] as const;
const USUAL_MODELS = ['recommender', 'forecaster'];

const MAX_PARAMS_BYTES = 10_000;

/** What a job of this kind is to do, complete and checked. @throws HashiraError BAD_USER_INPUT */
export function parseInput(kind: JobKind, input: JsonObject): JsonObject {
  switch (kind) {
    case JobKind.GENERATE_DATA:
      return parseGenerate(input);
    case JobKind.TRAIN_MODELS:
      return parseTrain(input);
    case JobKind.INDEX_CATALOG:
      return { full: input.full === true };
    default:
      return {};
  }
}

function parseGenerate(input: JsonObject): JsonObject {
  const parsed: JsonObject = {};
  for (const [field, range] of Object.entries(GENERATE_RANGES)) {
    const value = input[field] ?? range.default;
    if (!Number.isInteger(value) || (value as number) < range.min || (value as number) > range.max) {
      throw badInput(
        `"${field}" must be a whole number from ${range.min} to ${range.max}, not ${String(value)}.`,
        field,
      );
    }
    parsed[field] = value;
  }
  if (input.endDate !== undefined && input.endDate !== null) parsed.endDate = parseEndDate(String(input.endDate));
  return parsed;
}

/** Events of the future would be refused by the preparation, and Parquet's dates are not made for antiquity. */
function parseEndDate(day: string): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (!(time >= Date.UTC(1980, 0, 1) && time <= Date.now())) {
    throw badInput('"endDate" must be a day from 1980-01-01 to today.', 'endDate');
  }
  return day;
}

function parseTrain(input: JsonObject): JsonObject {
  const models = input.models ?? USUAL_MODELS;
  if (!Array.isArray(models) || models.length === 0) throw badInput('"models" must name at least one model.', 'models');
  for (const model of models) {
    if (!(MODELS as readonly unknown[]).includes(model)) {
      const name = String(model).slice(0, 50);
      throw badInput(`There is no model "${name}" to train; there are ${MODELS.join(', ')}.`, 'models');
    }
  }
  const params = input.params ?? {};
  if (typeof params !== 'object' || Array.isArray(params)) throw badInput('"params" must be an object.', 'params');
  const text = JSON.stringify(params);
  if (Buffer.byteLength(text) > MAX_PARAMS_BYTES) {
    throw badInput(`"params" must not be longer than ${MAX_PARAMS_BYTES} bytes of JSON.`, 'params');
  }
  // PostgreSQL's jsonb cannot hold it.
  if (/(?<!\\)(\\\\)*\\u0000/.test(text)) throw badInput('"params" must not contain the character U+0000.', 'params');
  return { models: [...new Set(models)], params };
}
