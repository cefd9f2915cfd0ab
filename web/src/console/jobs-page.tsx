import { useQuery, useSubscription } from '@apollo/client/react';
import { useEffect } from 'react';
import { Link, useSearchParams } from 'react-router';
import {
  type JobKind,
  type JobStateFragment,
  type JobStatus,
  JobsDocument,
  WatchJobDocument,
} from '../graphql/graphql.ts';
import { OnlyFor } from '../session/only-for.tsx';
import { Failure } from '../ui/failure.tsx';
import { dateTime } from '../ui/formats.ts';
import { LoadMore } from '../ui/load-more.tsx';
import { Loading } from '../ui/loading.tsx';
import { Scrolled } from '../ui/scrolled.tsx';
import table from '../ui/table.module.css';
import { useTitle } from '../ui/title.ts';
import { isActive, JobProgress, JobStatusLabel, KINDS, STATUSES } from './job-state.tsx';
import styles from './jobs.module.css';
import { StartJob } from './start-job.tsx';

export function JobsPage() {
  useTitle('Jobs');
  return (
    <OnlyFor scopes={['admin']}>
      <div className={styles.page}>
        <StartJob />
        <JobList />
      </div>
    </OnlyFor>
  );
}

function JobList() {
  const [params, setParams] = useSearchParams();
  const kind = chosen(params.get('kind'), KINDS);
  const status = chosen(params.get('status'), STATUSES);
  const { data, error, refetch, fetchMore, networkStatus } = useQuery(JobsDocument, {
    variables: { kind, status },
    fetchPolicy: 'cache-and-network',
  });
  useRefetchOnReturn(refetch);
  const choose = (name: string, value: string) =>
    setParams(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );
  const jobs = data?.jobs.edges.map(({ node }) => node) ?? [];
  const { hasNextPage = false, endCursor } = data?.jobs.pageInfo ?? {};
  const more = () => void fetchMore({ variables: { after: endCursor } }).catch(() => {});
  return (
    <section aria-label="History" className={styles.history}>
      <div className={styles.head}>
        <h1>Jobs</h1>
        <Choice label="Kind" names={KINDS} value={kind} choose={(value) => choose('kind', value)} />
        <Choice label="State" names={STATUSES} value={status} choose={(value) => choose('status', value)} />
      </div>
      {error && !data && <Failure error={error} again={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && jobs.length === 0 && <p className="soft">There are none of these.</p>}
      {jobs.length > 0 && (
        <Scrolled label="All jobs">
          <table className={table.table}>
            <thead>
              <tr>
                <th>Job</th>
                <th>State</th>
                <th>Asked for</th>
                <th>Took</th>
              </tr>
            </thead>
            <tbody>
              {jobs.map((job) => (
                <JobRow key={job.id} job={job} />
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
      <LoadMore more={hasNextPage ? more : null} loading={networkStatus === 3} />
    </section>
  );
}

function JobRow({ job }: { job: JobStateFragment }) {
  // Its updates reach the cache, and so this row.
  useSubscription(WatchJobDocument, { variables: { id: job.id }, skip: !isActive(job), ignoreResults: true });
  return (
    <tr>
      <th scope="row">
        <Link to={`/console/jobs/${encodeURIComponent(job.id)}`}>{KINDS[job.kind]}</Link>
      </th>
      <td>{job.status === 'RUNNING' ? <JobProgress job={job} /> : <JobStatusLabel status={job.status} />}</td>
      <td>
        {dateTime(job.createdAt)}
        <span className="soft"> by {job.requestedBy?.name ?? 'the shop itself'}</span>
      </td>
      <td>{job.startedAt && job.finishedAt ? duration(job.startedAt, job.finishedAt) : ''}</td>
    </tr>
  );
}

export function duration(from: string, to: string): string {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

interface ChoiceProps<Value extends string> {
  label: string;
  names: Record<Value, string>;
  value: Value | null;
  choose(value: string): void;
}

function Choice<Value extends string>({ label, names, value, choose }: ChoiceProps<Value>) {
  return (
    <select className="field" aria-label={label} value={value ?? ''} onChange={(event) => choose(event.target.value)}>
      <option value="">{label}: all</option>
      {Object.entries<string>(names).map(([key, name]) => (
        <option key={key} value={key}>
          {name}
        </option>
      ))}
    </select>
  );
}

function chosen<Value extends JobKind | JobStatus>(value: string | null, names: Record<Value, string>): Value | null {
  return value && Object.hasOwn(names, value) ? (value as Value) : null;
}

/** Others may have started jobs while nobody looked. */
function useRefetchOnReturn(refetch: () => Promise<unknown>): void {
  useEffect(() => {
    const look = () => document.visibilityState === 'visible' && void refetch().catch(() => {});
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [refetch]);
}
