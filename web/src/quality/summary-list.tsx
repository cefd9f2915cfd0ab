import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { SummaryHeadFragment } from '../graphql/graphql.ts';
import { dateTime } from '../ui/formats.ts';
import { StateLabel } from '../ui/state-label.tsx';
import styles from './review.module.css';
import { STATUSES } from './summary-filter.ts';

const TONES = { PENDING: 'busy', APPROVED: 'good', FLAGGED: 'bad' } as const;
const ROW_PX = 96;
/** So many rows before the end of what is there, the next page is loaded. */
const NEAR = 15;

interface SummaryListProps {
  summaries: readonly SummaryHeadFragment[];
  total: number;
  chosen: string | undefined;
  choose(id: string): void;
  more: (() => void) | null;
  loading: boolean;
}

/** However many there are, only rows in sight are in the page. */
export function SummaryList({ summaries, total, chosen, choose, more, loading }: SummaryListProps) {
  const box = useRef<HTMLUListElement>(null);
  const rows = useVirtualizer({
    count: summaries.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= summaries.length - NEAR) more();
  });
  const place = summaries.findIndex(({ id }) => id === chosen);
  useEffect(() => {
    if (place >= 0) rows.scrollToIndex(place);
  }, [place, rows]);
  return (
    <ul ref={box} className={styles.rows} aria-label="Summaries">
      <li className={styles.space} style={{ height: rows.getTotalSize() }} aria-hidden="true" />
      {shown.map(({ index, start }) => {
        const summary = summaries[index];
        if (!summary) return null;
        return (
          <li
            key={summary.id}
            className={styles.row}
            aria-setsize={total}
            aria-posinset={index + 1}
            style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
          >
            <button type="button" aria-current={summary.id === chosen} onClick={() => choose(summary.id)}>
              <span className={styles.issue}>{summary.keyIssue}</span>
              <StateLabel tone={TONES[summary.status]}>{STATUSES[summary.status]}</StateLabel>
              <span className={styles.excerpt}>{summary.summary}</span>
              <span className={styles.when}>
                {[summary.agent, dateTime(summary.createdAt)].filter(Boolean).join(', ')}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
