import { useQuery } from '@apollo/client/react';
import { useEffect, useRef, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { ReviewListDocument } from '../graphql/graphql.ts';
import { Empty } from '../ui/empty.tsx';
import { Failure, messageOf } from '../ui/failure.tsx';
import { count } from '../ui/formats.ts';
import { Loading } from '../ui/loading.tsx';
import { useTitle } from '../ui/title.ts';
import { allSummaries } from './all-summaries.ts';
import { csvOf, download } from './csv.ts';
import styles from './review.module.css';
import { SummarizeDialog } from './summarize-dialog.tsx';
import { SummaryDetails } from './summary-details.tsx';
import { readSummaryFilter, STATUSES } from './summary-filter.ts';
import { SummaryList } from './summary-list.tsx';

const MOST_EXPORTED = 10_000;

/** Summaries to be looked at, beside the one that is. */
export function ReviewPage() {
  useTitle('Conversations');
  const { id } = useParams();
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const filter = readSummaryFilter(params);
  const { data, error, refetch, fetchMore, networkStatus } = useQuery(ReviewListDocument, {
    variables: { filter },
    fetchPolicy: 'cache-and-network',
  });
  const summaries = data?.summaries.edges.map(({ node }) => node) ?? [];
  const { hasNextPage = false, endCursor } = data?.summaries.pageInfo ?? {};
  const open = (next: string | undefined) =>
    next && navigate(`/quality/summary/${encodeURIComponent(next)}?${params}`, { replace: id !== undefined });
  const beside = (step: 1 | -1) => {
    const place = summaries.findIndex((summary) => summary.id === id);
    return summaries[place < 0 ? 0 : place + step]?.id;
  };
  useShortcuts({ j: () => open(beside(1)), k: () => open(beside(-1)) });
  const change = (name: string, value: string) =>
    setParams(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );
  return (
    <div className={styles.page} data-open={id !== undefined}>
      <section className={styles.list} aria-label="Summaries">
        <h1 className="visually-hidden">Conversations</h1>
        <div className={styles.filters}>
          <SearchField value={params.get('search') ?? ''} change={(value) => change('search', value)} />
          <select
            className="field"
            aria-label="State"
            value={params.get('status') ?? ''}
            onChange={(event) => change('status', event.target.value)}
          >
            <option value="">Any state</option>
            {Object.entries(STATUSES).map(([status, name]) => (
              <option key={status} value={status}>
                {name}
              </option>
            ))}
          </select>
          <select
            className="field"
            aria-label="Resolved"
            value={params.get('resolved') ?? ''}
            onChange={(event) => change('resolved', event.target.value)}
          >
            <option value="">Resolved or not</option>
            <option value="yes">Resolved</option>
            <option value="no">Not resolved</option>
          </select>
          <input
            className={`field ${styles.search}`}
            aria-label="Agent"
            placeholder="Agent"
            defaultValue={params.get('agent') ?? ''}
            onBlur={(event) => change('agent', event.target.value)}
            onKeyDown={(event) => event.key === 'Enter' && change('agent', event.currentTarget.value)}
          />
          <label className="label">
            From
            <input
              className="field"
              type="date"
              value={params.get('from') ?? ''}
              onChange={(event) => change('from', event.target.value)}
            />
          </label>
          <label className="label">
            To
            <input
              className="field"
              type="date"
              value={params.get('to') ?? ''}
              onChange={(event) => change('to', event.target.value)}
            />
          </label>
        </div>
        <div className={styles.tools}>
          <p role="status" className="soft">
            {data
              ? `${count(data.summaries.totalCount)} ${data.summaries.totalCount === 1 ? 'summary' : 'summaries'}`
              : ' '}
          </p>
          <Export filter={filter} />
          <SummarizeDialog done={(made) => open(made)} />
        </div>
        {error && !data && <Failure error={error} again={() => void refetch()} />}
        {!data && !error && <Loading />}
        {data && summaries.length === 0 && (
          <Empty title="Nothing here">
            <p>No summary fits. Finished chats are summarized by a job; any conversation by hand, above.</p>
          </Empty>
        )}
        {summaries.length > 0 && (
          <SummaryList
            summaries={summaries}
            total={data?.summaries.totalCount ?? 0}
            chosen={id}
            choose={open}
            more={hasNextPage ? () => void fetchMore({ variables: { after: endCursor } }).catch(() => {}) : null}
            loading={networkStatus === 3}
          />
        )}
      </section>
      <section className={styles.details} aria-label="Summary">
        {id ? (
          <SummaryDetails key={id} id={id} next={() => open(beside(1))} back={() => navigate(`/quality?${params}`)} />
        ) : (
          <p className={styles.hint}>
            Choose a summary. <kbd>J</kbd> and <kbd>K</kbd> go down and up, <kbd>A</kbd> approves, <kbd>F</kbd> flags,{' '}
            <kbd>/</kbd> searches.
          </p>
        )}
      </section>
    </div>
  );
}

/** Keys that do something while nothing is being typed. */
export function useShortcuts(actions: Record<string, () => void>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const types = target.matches('input, textarea, select, [contenteditable]') || target.closest('[role="dialog"]');
      if (types || event.ctrlKey || event.metaKey || event.altKey) return;
      const act = latest.current[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

/** Searches when one pauses. */
function SearchField({ value, change }: { value: string; change(value: string): void }) {
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ '/': () => field.current?.focus() });
  useEffect(() => {
    if (text === value) return;
    const pause = setTimeout(() => change(text), 300);
    return () => clearTimeout(pause);
  });
  return (
    <input
      ref={field}
      className={`field ${styles.search}`}
      type="search"
      aria-label="Search summaries"
      placeholder="Search summaries"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  );
}

function Export({ filter }: { filter: ReturnType<typeof readSummaryFilter> }) {
  const [state, setState] = useState<string | null>(null);
  const run = async () => {
    setState('Exporting …');
    try {
      download(csvOf(await allSummaries(filter, MOST_EXPORTED)), 'summaries.csv');
      setState(null);
    } catch (error) {
      setState(messageOf(error));
    }
  };
  return (
    <>
      <button type="button" className="button" onClick={() => void run()} disabled={state === 'Exporting …'}>
        Export CSV
      </button>
      {state && <p role="status">{state}</p>}
    </>
  );
}
