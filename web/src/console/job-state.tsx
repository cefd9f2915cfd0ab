import { useMutation } from '@apollo/client/react';
import { CancelJobDocument, type JobKind, type JobStateFragment, type JobStatus } from '../graphql/graphql.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { messageOf } from '../ui/failure.tsx';
import { percent } from '../ui/formats.ts';
import { StateLabel } from '../ui/state-label.tsx';
import styles from './jobs.module.css';

export const KINDS: Record<JobKind, string> = {
  GENERATE_DATA: 'Generate a shop',
  PREPARE_DATASETS: 'Prepare datasets',
  TRAIN_MODELS: 'Train models',
  INDEX_CATALOG: 'Index the catalogue',
  SUMMARIZE_BATCH: 'Summarize chats',
  CHECK_DRIFT: 'Check for drift',
};

export const STATUSES: Record<JobStatus, string> = {
  QUEUED: 'Waiting',
  RUNNING: 'Running',
  SUCCEEDED: 'Done',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};

const TONES = { QUEUED: 'busy', RUNNING: 'busy', SUCCEEDED: 'good', FAILED: 'bad', CANCELLED: 'still' } as const;

export const isActive = ({ status }: Pick<JobStateFragment, 'status'>) => status === 'QUEUED' || status === 'RUNNING';

export const JobStatusLabel = ({ status }: { status: JobStatus }) => (
  <StateLabel tone={TONES[status]}>{STATUSES[status]}</StateLabel>
);

export function JobProgress({ job }: { job: JobStateFragment }) {
  return (
    <div className={styles.progress}>
      <progress max={1} value={job.progress} aria-label={`Progress of ${KINDS[job.kind]}`} />
      <span>
        {percent(job.progress)} {job.stage}
      </span>
    </div>
  );
}

export function CancelJob({ job }: { job: JobStateFragment }) {
  const [cancel, { loading, error }] = useMutation(CancelJobDocument, { variables: { id: job.id } });
  return (
    <>
      <ConfirmButton
        label="Cancel job"
        question={`Cancel “${KINDS[job.kind]}”?`}
        isDisabled={loading}
        confirm={() => void cancel().catch(() => {})}
      >
        What it has done so far is thrown away; what it would have replaced stays.
      </ConfirmButton>
      {error && <p role="alert">{messageOf(error)}</p>}
    </>
  );
}
