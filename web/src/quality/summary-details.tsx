import { useMutation, useQuery } from '@apollo/client/react';
import { useRef, useState } from 'react';
import {
  ReviewListDocument,
  type ReviewStatus,
  ReviewSummaryDocument,
  SummaryDetailsDocument,
  type SummaryDetailsQuery,
} from '../graphql/graphql.ts';
import { Failure, messageOf } from '../ui/failure.tsx';
import { dateTime } from '../ui/formats.ts';
import { Loading } from '../ui/loading.tsx';
import { NotFound } from '../ui/not-found.tsx';
import { StateLabel } from '../ui/state-label.tsx';
import { markEntities, sharedEntities } from './entities.ts';
import styles from './review.module.css';
import { useShortcuts } from './review-page.tsx';

interface SummaryDetailsProps {
  id: string;
  /** Goes on to the next one of the list. */
  next(): void;
  back(): void;
}

type Summary = NonNullable<SummaryDetailsQuery['summary']>;

export function SummaryDetails({ id, next, back }: SummaryDetailsProps) {
  const { data, error, refetch } = useQuery(SummaryDetailsDocument, { variables: { id } });
  if (error && !data) return <Failure error={error} again={() => void refetch()} />;
  if (!data) return <Loading />;
  if (!data.summary) return <NotFound />;
  return <Review summary={data.summary} next={next} back={back} />;
}

function Review({ summary, next, back }: Omit<SummaryDetailsProps, 'id'> & { summary: Summary }) {
  const entities = sharedEntities(`${summary.summary} ${summary.resolution}`, summary.transcript);
  return (
    <article className={styles.review}>
      <button type="button" className={`button ${styles.back}`} onClick={back}>
        Back to the list
      </button>
      <h2 className={styles.title}>{summary.keyIssue}</h2>
      <div className={styles.columns}>
        <div className={styles.verdict}>
          <dl className={styles.facts}>
            <div>
              <dt>Summary</dt>
              <dd>
                <Marked text={summary.summary} entities={entities} />
              </dd>
            </div>
            <div>
              <dt>Resolution</dt>
              <dd>
                <Marked text={summary.resolution} entities={entities} />
              </dd>
            </div>
            <div>
              <dt>Settled</dt>
              <dd>
                <StateLabel tone={summary.resolved ? 'good' : 'bad'}>
                  {summary.resolved ? 'Resolved' : 'Not resolved'}
                </StateLabel>
              </dd>
            </div>
            <div>
              <dt>Written</dt>
              <dd>
                {dateTime(summary.createdAt)} by {summary.model.name}
                {summary.model.version > 0 && ` version ${summary.model.version}`}
                {summary.agent && `; ${summary.agent} served the customer`}
              </dd>
            </div>
          </dl>
          <Decision summary={summary} next={next} />
        </div>
        <section className={styles.transcript} aria-label="Transcript">
          <h3>Transcript</h3>
          <ol>
            {summary.transcript.map(({ speaker, text }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a transcript does not change
              <li key={place}>
                <b>{speaker}</b>
                <p>
                  <Marked text={text} entities={entities} />
                </p>
              </li>
            ))}
          </ol>
        </section>
      </div>
    </article>
  );
}

const Marked = ({ text, entities }: { text: string; entities: readonly string[] }) =>
  markEntities(text, entities).map((part, place) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: parts stay where they are
    part.isEntity ? <mark key={place}>{part.text}</mark> : <span key={place}>{part.text}</span>,
  );

function Decision({ summary, next }: { summary: Summary; next(): void }) {
  const [note, setNote] = useState(summary.reviewNote ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const [review, { loading, error }] = useMutation(ReviewSummaryDocument, { refetchQueries: [ReviewListDocument] });
  const decide = (status: ReviewStatus) =>
    void review({ variables: { id: summary.id, status, note: note.trim() || null } }).catch(() => {});
  const flag = () => {
    if (note.trim()) decide('FLAGGED');
    else field.current?.focus();
  };
  useShortcuts({ a: () => decide('APPROVED'), f: flag });
  return (
    <div className={styles.decision}>
      <p role="status">
        {summary.status === 'PENDING'
          ? 'Nobody has reviewed it yet.'
          : `${summary.status === 'APPROVED' ? 'Approved' : 'Flagged'} by ${summary.reviewedBy?.name ?? 'somebody'}${
              summary.reviewedAt ? `, ${dateTime(summary.reviewedAt)}` : ''
            }.`}
      </p>
      <label className="label">
        Note
        <textarea
          ref={field}
          className="field"
          rows={2}
          maxLength={1_000}
          value={note}
          placeholder="What is wrong, or needs attention"
          onChange={(event) => setNote(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
      </label>
      <div className={styles.actions}>
        <button
          type="button"
          className="button"
          data-kind="primary"
          disabled={loading}
          onClick={() => decide('APPROVED')}
          aria-keyshortcuts="a"
        >
          Approve
        </button>
        <button type="button" className="button" disabled={loading} onClick={flag} aria-keyshortcuts="f">
          Flag
        </button>
        <button type="button" className="button" data-kind="quiet" onClick={next} aria-keyshortcuts="j">
          Next
        </button>
      </div>
      {error && <p role="alert">{messageOf(error)}</p>}
    </div>
  );
}
