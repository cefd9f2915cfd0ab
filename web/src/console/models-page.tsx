import { useMutation, useQuery } from '@apollo/client/react';
import { ModelVersionsDocument, type ModelVersionsQuery, PromoteVersionDocument } from '../graphql/graphql.ts';
import { may, session } from '../session/session.ts';
import { ConfirmButton } from '../ui/confirm-button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Failure, messageOf } from '../ui/failure.tsx';
import { dateTime, metric, percent } from '../ui/formats.ts';
import { Loading } from '../ui/loading.tsx';
import { Scrolled } from '../ui/scrolled.tsx';
import { StateLabel } from '../ui/state-label.tsx';
import { useStore } from '../ui/store.ts';
import table from '../ui/table.module.css';
import { useTitle } from '../ui/title.ts';
import { leading, nameOf, readMetrics } from './metrics.ts';
import { ModelDetails } from './model-details.tsx';
import styles from './models.module.css';
import { SplitTraffic } from './split-traffic.tsx';

type Version = ModelVersionsQuery['models'][number];

export function ModelsPage() {
  useTitle('Models');
  const { data, error, refetch } = useQuery(ModelVersionsDocument, {
    fetchPolicy: 'cache-and-network',
    // What is counted comes from another part than the models.
    errorPolicy: 'all',
  });
  if (error && !data) return <Failure error={error} again={() => void refetch()} />;
  if (!data) return <Loading />;
  const models = Map.groupBy(data.models, ({ name }) => name);
  if (models.size === 0) return <Empty title="There is no model yet">Train one under Jobs.</Empty>;
  return (
    <div className={styles.models}>
      <h1>Models</h1>
      {[...models].map(([name, versions]) => (
        <ModelSection key={name} name={name} versions={versions} />
      ))}
    </div>
  );
}

/** A model with its versions, newest first, and how the one that answers was measured. */
function ModelSection({ name, versions }: { name: string; versions: readonly Version[] }) {
  const isAdmin = may(useStore(session), 'admin');
  const production = versions.find((version) => version.production);
  const shown = production ?? versions[0];
  const lead = shown ? leading(readMetrics(shown.metrics)) : null;
  const newestData = versions[0]?.dataVersion;
  return (
    <section className={styles.model} aria-label={name}>
      <h2>{name}</h2>
      {production && newestData !== production.dataVersion && (
        <p className="soft">The version in production learnt from older data than the newest version.</p>
      )}
      {production?.warning && (
        <p role="alert" className={styles.warning}>
          {production.warning}
        </p>
      )}
      <Scrolled label={`Versions of ${name}`}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>Version</th>
              <th>State</th>
              <th className={table.number}>{lead}</th>
              <th className={table.number}>Since the version before</th>
              <th className={table.number}>Users</th>
              <th className={table.number}>Viewed of shown</th>
              <th className={table.number}>Bought</th>
              <th>Registered</th>
              <th>Data</th>
              <th>
                <span className="visually-hidden">What to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {versions.map((version, place) => (
              <tr key={version.version}>
                <th scope="row">{version.version}</th>
                <td>
                  <StateLabel tone={version.production ? 'good' : 'still'}>
                    {version.production ? 'In production' : 'At rest'}
                  </StateLabel>
                </td>
                <td className={table.number}>{lead && written(measured(version, lead))}</td>
                <td className={table.number}>{lead && drift(version, versions[place + 1], lead)}</td>
                <td className={table.number}>{version.share ? percent(version.share) : ''}</td>
                <td className={table.number}>
                  {version.traffic?.recommended ? `${version.traffic.clicks} of ${version.traffic.recommended}` : ''}
                </td>
                <td className={table.number}>{version.traffic?.recommended ? version.traffic.purchases : ''}</td>
                <td>{version.createdAt && dateTime(version.createdAt)}</td>
                <td>
                  <code>{version.dataVersion.slice(0, 8)}</code>
                </td>
                <td>
                  {isAdmin && !version.production && <Promote version={version} production={production} />}
                  {isAdmin && !version.production && production && version.gate?.passed && name === 'recommender' && (
                    <SplitTraffic version={version} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
      {shown && <Measured version={shown} />}
      {versions.map((version) => (
        <ModelDetails key={version.version} version={version} />
      ))}
    </section>
  );
}

const measured = (version: Version | undefined, name: string) => readMetrics(version?.metrics).ours?.[name];
const written = (value: number | undefined) => (value === undefined ? '' : metric(value));

/** How a metric has moved since the version before. */
function drift(version: Version, before: Version | undefined, name: string): string {
  const [now, then] = [measured(version, name), measured(before, name)];
  if (now === undefined || then === undefined) return '';
  return `${now >= then ? '+' : '−'}${metric(Math.abs(now - then))}`;
}

function Promote({ version, production }: { version: Version; production: Version | undefined }) {
  const { name, version: number } = version;
  const [promote, { error, loading }] = useMutation(PromoteVersionDocument, {
    variables: { name, version: number },
    refetchQueries: [ModelVersionsDocument],
  });
  const isBack = production !== undefined && number < production.version;
  return (
    <>
      <ConfirmButton
        label={isBack ? 'Roll back' : 'Promote'}
        question={
          isBack ? `Go back to version ${number} of ${name}?` : `Put version ${number} of ${name} into production?`
        }
        isDisabled={loading}
        confirm={() => void promote().catch(() => {})}
      >
        {production ? `It answers in place of version ${production.version}, at once.` : 'It answers from now on.'}
      </ConfirmButton>
      {error && (
        <p role="alert" className={styles.problem}>
          {messageOf(error)}
        </p>
      )}
    </>
  );
}

function Measured({ version }: { version: Version }) {
  const metrics = readMetrics(version.metrics);
  const names = [...new Set(Object.values(metrics).flatMap((values) => Object.keys(values)))];
  if (names.length === 0) return null;
  return (
    <details open className={styles.measured}>
      <summary>Version {version.version}, measured on the test split</summary>
      <Scrolled label={`Measures of ${version.name}`}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>Who</th>
              {names.map((name) => (
                <th key={name} className={table.number}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Object.entries(metrics).map(([who, values]) => (
              <tr key={who} data-ours={who === 'ours'}>
                <th scope="row">{nameOf(who)}</th>
                {names.map((name) => (
                  <td key={name} className={table.number}>
                    {written(values[name]) || '–'}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </details>
  );
}
