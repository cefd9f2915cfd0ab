import { CombinedGraphQLErrors } from '@apollo/client';
import { useQuery } from '@apollo/client/react';
import { useEffect, useState } from 'react';
import { connection } from '../client/connection.ts';
import { PartsHealthDocument } from '../graphql/graphql.ts';
import { StateLabel } from '../ui/state-label.tsx';
import { useStore } from '../ui/store.ts';
import table from '../ui/table.module.css';
import { useTitle } from '../ui/title.ts';

const EVERY_MS = 5_000;

/** Parts of the graph, by the alias under which each is asked. */
const PARTS: Record<string, string> = {
  catalog: 'Catalogue',
  recommendation: 'Recommendations',
  forecast: 'Forecasts',
  pipeline: 'Jobs and models',
  summary: 'Summaries',
};

export function HealthPage() {
  useTitle('Health');
  const lost = useStore(connection) === 'lost';
  const ready = useReadiness();
  const { data, error } = useQuery(PartsHealthDocument, {
    errorPolicy: 'all',
    fetchPolicy: 'no-cache',
    pollInterval: EVERY_MS,
    skipPollAttempt: () => document.hidden,
  });
  const problems = new Map(
    CombinedGraphQLErrors.is(error) ? error.errors.map(({ path, message }) => [String(path?.[0]), message]) : [],
  );
  return (
    <>
      <h1>Health</h1>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Part</th>
            <th>State</th>
            <th>What it says</th>
          </tr>
        </thead>
        <tbody>
          <Row name="Gateway" good={!lost && ready !== null} says={lost ? 'It cannot be reached.' : ''} />
          {Object.entries(ready?.parts ?? {}).map(([name, state]) => (
            <Row
              key={name}
              name={name.replace('subgraph.', '')}
              good={state === 'ok'}
              says={state === 'ok' ? '' : state}
            />
          ))}
          {(data || error) &&
            Object.entries(PARTS).map(([alias, name]) => (
              <Row key={alias} name={name} good={!problems.has(alias)} says={problems.get(alias) ?? ''} />
            ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ name, good, says }: { name: string; good: boolean; says: string }) {
  return (
    <tr>
      <th scope="row">{name.charAt(0).toUpperCase() + name.slice(1)}</th>
      <td>
        <StateLabel tone={good ? 'good' : 'bad'}>{good ? 'Well' : 'Not well'}</StateLabel>
      </td>
      <td>{says}</td>
    </tr>
  );
}

/** What the gateway says of itself and of what it stands on; null when it says nothing. */
function useReadiness() {
  const [ready, setReady] = useState<{ parts: Record<string, string> } | null>(null);
  useEffect(() => {
    const look = () =>
      fetch('/health/ready')
        .then((response) => response.json())
        .then(setReady, () => setReady(null));
    void look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return ready;
}
