import { useQuery, useSubscription } from '@apollo/client/react';
import { useEffect, useRef } from 'react';
import { useParams } from 'react-router';
import { JobDetailsDocument, WatchJobDetailsDocument } from '../graphql/graphql.ts';
import { OnlyFor } from '../session/only-for.tsx';
import { Failure } from '../ui/failure.tsx';
import { dateTime } from '../ui/formats.ts';
import { Loading } from '../ui/loading.tsx';
import { NotFound } from '../ui/not-found.tsx';
import { useTitle } from '../ui/title.ts';
import { CancelJob, isActive, JobProgress, JobStatusLabel, KINDS } from './job-state.tsx';
import styles from './jobs.module.css';
import { duration } from './jobs-page.tsx';

export function JobPage() {
  const { id = '' } = useParams();
  return (
    <OnlyFor scopes={['admin']}>
      <JobDetails key={id} id={id} />
    </OnlyFor>
  );
}

/** A job as it goes on: each event of its stream updates the cache, and so what is shown. */
function JobDetails({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(JobDetailsDocument, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
  });
  const job = data?.job;
  useSubscription(WatchJobDetailsDocument, {
    variables: { id },
    skip: !job || !isActive(job),
    ignoreResults: true,
  });
  useTitle(job ? KINDS[job.kind] : 'Job');
  if (error && !job) return <Failure error={error} again={() => void refetch()} />;
  if (!data) return <Loading />;
  if (!job) return <NotFound />;
  return (
    <article className={styles.job}>
      <div className={styles.head}>
        <h1>{KINDS[job.kind]}</h1>
        <span role="status">
          <JobStatusLabel status={job.status} />
        </span>
        {isActive(job) && <CancelJob job={job} />}
      </div>
      {isActive(job) && <JobProgress job={job} />}
      {job.error && (
        <p role="alert" className={styles.problem}>
          {job.error}
        </p>
      )}
      <dl className={styles.facts}>
        <div>
          <dt>Asked for</dt>
          <dd>
            {dateTime(job.createdAt)} by {job.requestedBy?.name ?? 'the shop itself'}
          </dd>
        </div>
        {job.startedAt && job.finishedAt && (
          <div>
            <dt>Took</dt>
            <dd>{duration(job.startedAt, job.finishedAt)}</dd>
          </div>
        )}
        {job.attempts > 1 && (
          <div>
            <dt>Tries</dt>
            <dd>{job.attempts}</dd>
          </div>
        )}
      </dl>
      <Log lines={job.logs} />
      {job.result !== null && (
        <section aria-label="Result">
          <h2>Result</h2>
          <pre className={styles.text}>{JSON.stringify(job.result, null, 2)}</pre>
        </section>
      )}
    </article>
  );
}

/** Stays at its end while one does not look further up. */
function Log({ lines }: { lines: readonly string[] }) {
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the lines as they come
  useEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <section aria-label="Log">
      <h2>Log</h2>
      <pre
        ref={box}
        className={styles.text}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 20;
        }}
      >
        {lines.length > 0 ? lines.join('\n') : 'Nothing yet.'}
      </pre>
    </section>
  );
}
