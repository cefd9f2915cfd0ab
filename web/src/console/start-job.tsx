import { useMutation } from '@apollo/client/react';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import {
  type JobKind,
  JobsDocument,
  StartCheckDriftDocument,
  StartGenerateDataDocument,
  StartIndexCatalogDocument,
  StartPrepareDatasetsDocument,
  StartSummarizeBatchDocument,
  StartTrainModelsDocument,
} from '../graphql/graphql.ts';
import { messageOf } from '../ui/failure.tsx';
import { KINDS } from './job-state.tsx';
import styles from './jobs.module.css';

const ABOUT: Record<JobKind, string> = {
  GENERATE_DATA: 'Makes a synthetic shop and puts its catalogue in place of the one generated before.',
  PREPARE_DATASETS: 'Makes a clean dataset of the lake and of what shoppers did since the last time.',
  TRAIN_MODELS: 'Trains models on the latest dataset. A version that is better than the one in production replaces it.',
  INDEX_CATALOG: 'Brings the search index up to date with the catalogue.',
  SUMMARIZE_BATCH: 'Summarizes all finished chats that have no summary yet.',
  CHECK_DRIFT: 'Compares the latest dataset with the data that the models in production were trained on.',
};
const SIZES = [
  ['users', 'Users', 5_000],
  ['products', 'Products', 500],
  ['days', 'Days of history', 365],
  ['interactions', 'Interactions', 500_000],
  ['seed', 'Seed', 42],
] as const;
const MODELS = ['recommender', 'forecaster', 'summarizer'];

export function StartJob() {
  const [kind, setKind] = useState<JobKind>('PREPARE_DATASETS');
  const navigate = useNavigate();
  const { start, problem, busy } = useStart();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const id = await start(kind, new FormData(event.currentTarget));
    if (id) navigate(`/console/jobs/${encodeURIComponent(id)}`);
  };
  return (
    <form className={styles.start} onSubmit={(event) => void submit(event)} aria-label="Start a job">
      <h2>Start a job</h2>
      <label className="label">
        What
        <select className="field" value={kind} onChange={(event) => setKind(event.target.value as JobKind)}>
          {Object.entries(KINDS).map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <p className="soft">{ABOUT[kind]}</p>
      {kind === 'GENERATE_DATA' &&
        SIZES.map(([name, label, usual]) => (
          <label key={name} className="label">
            {label}
            <input className="field" name={name} type="number" min={0} placeholder={String(usual)} />
          </label>
        ))}
      {kind === 'TRAIN_MODELS' && (
        <>
          <fieldset className={styles.models}>
            <legend>Models</legend>
            {MODELS.map((model) => (
              <label key={model}>
                <input type="checkbox" name="models" value={model} defaultChecked={model !== 'summarizer'} /> {model}
              </label>
            ))}
          </fieldset>
          <label className="label">
            Parameters in place of those of ml/params.yaml, as JSON
            <textarea className="field" name="params" rows={2} placeholder="none" spellCheck={false} />
          </label>
        </>
      )}
      {kind === 'INDEX_CATALOG' && (
        <label className={styles.check}>
          <input type="checkbox" name="full" /> All anew, not only what has changed
        </label>
      )}
      <button type="submit" className="button" data-kind="primary" disabled={busy}>
        {busy ? 'Starting …' : 'Start'}
      </button>
      {problem && (
        <p role="alert" className={styles.problem}>
          {problem}
        </p>
      )}
    </form>
  );
}

/** Starts a job from what is typed into the form. @returns its id; null when it was refused, which `problem` tells */
function useStart() {
  const options = { refetchQueries: [JobsDocument] };
  const [generate] = useMutation(StartGenerateDataDocument, options);
  const [prepare] = useMutation(StartPrepareDatasetsDocument, options);
  const [train] = useMutation(StartTrainModelsDocument, options);
  const [index] = useMutation(StartIndexCatalogDocument, options);
  const [summarize] = useMutation(StartSummarizeBatchDocument, options);
  const [checkDrift] = useMutation(StartCheckDriftDocument, options);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const run: Record<JobKind, (form: FormData) => Promise<{ id: string } | undefined>> = {
    GENERATE_DATA: async (form) => {
      const sizes = SIZES.flatMap(([name]) => (form.get(name) ? [[name, Number(form.get(name))] as const] : []));
      return (await generate({ variables: { input: Object.fromEntries(sizes) } })).data?.generateData;
    },
    PREPARE_DATASETS: async () => (await prepare()).data?.prepareDatasets,
    TRAIN_MODELS: async (form) => {
      const typed = String(form.get('params') ?? '').trim();
      const params = typed ? { params: JSON.parse(typed) as unknown } : {};
      const input = { models: form.getAll('models').map(String), ...params };
      return (await train({ variables: { input } })).data?.trainModels;
    },
    INDEX_CATALOG: async (form) => (await index({ variables: { full: form.has('full') } })).data?.indexCatalog,
    SUMMARIZE_BATCH: async () => (await summarize()).data?.summarizeBatch,
    CHECK_DRIFT: async () => (await checkDrift()).data?.checkDrift,
  };

  const start = async (kind: JobKind, form: FormData): Promise<string | null> => {
    setBusy(true);
    setProblem(null);
    try {
      return (await run[kind](form))?.id ?? null;
    } catch (error) {
      setProblem(error instanceof SyntaxError ? 'The parameters are not valid JSON.' : messageOf(error));
      return null;
    } finally {
      setBusy(false);
    }
  };
  return { start, problem, busy };
}
