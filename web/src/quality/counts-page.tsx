import { useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { Failure } from '../ui/failure.tsx';
import { count, percent } from '../ui/formats.ts';
import { type Line, LineChart } from '../ui/line-chart.tsx';
import { Loading } from '../ui/loading.tsx';
import { Scrolled } from '../ui/scrolled.tsx';
import table from '../ui/table.module.css';
import { useTitle } from '../ui/title.ts';
import { allSummaries, type Summarized } from './all-summaries.ts';
import { countBy, daysBefore, perDay } from './counts.ts';
import styles from './review.module.css';

const PERIODS = [7, 30, 90, 365];
/** The graph has no sums of its own; so many are fetched and counted here. */
const MOST_COUNTED = 2_000;
const AGENT_COLORS = ['--accent', '--good', '--warn', '--ink-soft'];

/** What conversations were about, and who served, over time. */
export function CountsPage() {
  useTitle('Counts');
  const [params, setParams] = useSearchParams();
  const days = PERIODS.find((period) => period === Number(params.get('days'))) ?? 30;
  const [summaries, setSummaries] = useState<Summarized[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const left = new AbortController();
    setError(null);
    const from = daysBefore(new Date(), days - 1).toISOString();
    allSummaries({ from }, MOST_COUNTED, left.signal).then(
      (all) => !left.signal.aborted && setSummaries(all),
      (failure) => !left.signal.aborted && setError(failure),
    );
    return () => left.abort();
  }, [days]);
  return (
    <div className={styles.counts}>
      <div className={styles.tools}>
        <h1>Counts</h1>
        <select
          className="field"
          aria-label="Period"
          value={days}
          onChange={(event) => setParams({ days: event.target.value }, { replace: true })}
        >
          {PERIODS.map((period) => (
            <option key={period} value={period}>
              Last {period} days
            </option>
          ))}
        </select>
      </div>
      {error !== null && <Failure error={error} />}
      {!summaries && error === null && <Loading />}
      {summaries?.length === 0 && <p className="soft">Nothing was summarized in this time.</p>}
      {summaries && summaries.length > 0 && <Counts summaries={summaries} days={days} />}
    </div>
  );
}

function Counts({ summaries, days }: { summaries: readonly Summarized[]; days: number }) {
  const agents = countBy(summaries, ({ agent }) => agent ?? 'Not known');
  const { dates, lines } = useMemo(() => {
    const most = countBy(summaries, ({ agent }) => agent ?? 'Not known').slice(0, AGENT_COLORS.length);
    const over = perDay(summaries, days);
    return {
      dates: over.dates,
      lines: most.map<Line>(({ name }, place) => ({
        label: name,
        values: over.of((summary) => (summary.agent ?? 'Not known') === name),
        color: AGENT_COLORS[place] as string,
      })),
    };
  }, [summaries, days]);
  return (
    <>
      {summaries.length === MOST_COUNTED && (
        <p className="soft">Only the newest {count(MOST_COUNTED)} of this time are counted.</p>
      )}
      <CountTable title="By issue" counts={countBy(summaries, ({ keyIssue }) => keyIssue)} />
      <CountTable title="By agent" counts={agents} />
      <section aria-label="By agent and day">
        <h2>By agent and day</h2>
        <LineChart label="Summaries of each agent by day" dates={dates} lines={lines} format={count} />
      </section>
    </>
  );
}

function CountTable({ title, counts }: { title: string; counts: ReturnType<typeof countBy> }) {
  const most = counts[0]?.all ?? 1;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <Scrolled label={`${title}, in numbers`}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>Name</th>
              <th>Conversations</th>
              <th className={table.number}>Resolved</th>
              <th className={table.number}>Flagged</th>
            </tr>
          </thead>
          <tbody>
            {counts.map(({ name, all, resolved, flagged }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className={styles.bar}>
                  <span style={{ width: `${(all / most) * 70}%` }} /> {count(all)}
                </td>
                <td className={table.number}>{percent(resolved / all)}</td>
                <td className={table.number}>{count(flagged)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </section>
  );
}
