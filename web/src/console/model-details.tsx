import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { ModelDetailsDocument, type ModelVersionsQuery } from '../graphql/graphql.ts';
import { Failure } from '../ui/failure.tsx';
import { Loading } from '../ui/loading.tsx';
import { Scrolled } from '../ui/scrolled.tsx';
import table from '../ui/table.module.css';
import styles from './models.module.css';

type Version = ModelVersionsQuery['models'][number];

/** Why a version passed its gate or did not, its card, and how far its data have moved; asked for when it is opened. */
export function ModelDetails({ version }: { version: Version }) {
  const [isOpen, setOpen] = useState(false);
  const { gate } = version;
  return (
    <details className={styles.measured} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Version {version.version}
        {gate && `: gate ${gate.passed ? 'passed' : 'failed'}`}
      </summary>
      {gate && <p>{gate.reason}</p>}
      {isOpen && <CardAndDrift version={version} />}
    </details>
  );
}

function CardAndDrift({ version: { name, version } }: { version: Version }) {
  const { data, error, refetch } = useQuery(ModelDetailsDocument, { variables: { name, version } });
  if (error && !data) return <Failure error={error} again={() => void refetch()} />;
  if (!data) return <Loading />;
  const drift = [...(data.model?.drift ?? [])].sort((a, b) => b.psi - a.psi);
  return (
    <>
      {drift.length > 0 && (
        <Scrolled label={`Drift of ${name} ${version}`}>
          <table className={table.table}>
            <caption>Moved since its training, looked at on {drift[0]?.day}</caption>
            <thead>
              <tr>
                <th>Feature</th>
                <th className={table.number}>PSI</th>
              </tr>
            </thead>
            <tbody>
              {drift.map(({ feature, psi }) => (
                <tr key={feature}>
                  <th scope="row">{feature}</th>
                  <td className={table.number}>{psi.toFixed(3)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
      {data.model?.card ? (
        <pre className={styles.card}>{data.model.card}</pre>
      ) : (
        <p className="soft">It has no card.</p>
      )}
    </>
  );
}
