import { useQuery } from '@apollo/client/react';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { FindProductsDocument, ForecastDocument, type ForecastQuery, type Granularity } from '../graphql/graphql.ts';
import { useCategories } from '../shop/categories.ts';
import { Failure } from '../ui/failure.tsx';
import { count, day } from '../ui/formats.ts';
import { type Line, LineChart } from '../ui/line-chart.tsx';
import { Loading } from '../ui/loading.tsx';
import { Scrolled } from '../ui/scrolled.tsx';
import table from '../ui/table.module.css';
import { useTitle } from '../ui/title.ts';
import styles from './forecasts.module.css';

const HORIZONS: Record<Granularity, number[]> = { DAY: [7, 14, 28, 56], WEEK: [4, 8, 13, 26] };

/** Sales of the whole shop, a category or a product: what was, and what is expected. */
export function ForecastsPage() {
  useTitle('Forecasts');
  const [params, setParams] = useSearchParams();
  const granularity: Granularity = params.get('by') === 'week' ? 'WEEK' : 'DAY';
  const horizons = HORIZONS[granularity];
  const asked = Number(params.get('ahead'));
  const horizon = horizons.includes(asked) ? asked : (horizons[1] as number);
  const productId = params.get('product');
  const categoryId = productId ? null : params.get('category');
  const set = (changes: Record<string, string | null>) =>
    setParams(
      (before) => {
        for (const [name, value] of Object.entries(changes)) {
          if (value) before.set(name, value);
          else before.delete(name);
        }
        return before;
      },
      { replace: true },
    );
  const { data, previousData, error, refetch } = useQuery(ForecastDocument, {
    variables: { productId, categoryId, horizon, granularity },
  });
  const forecast = (data ?? previousData)?.salesForecast;
  const { top, within } = useCategories();
  return (
    <div className={styles.page}>
      <h1>Sales forecast</h1>
      <div className={styles.choices}>
        <label className="label">
          Of
          <select
            className="field"
            value={categoryId ?? ''}
            onChange={(event) => set({ category: event.target.value, product: null, name: null })}
          >
            <option value="">The whole shop</option>
            {top.map(({ id, name }) => (
              <optgroup key={id} label={name}>
                <option value={id}>All {name.toLowerCase()}</option>
                {within(id).map((child) => (
                  <option key={child.id} value={child.id}>
                    {child.name}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </label>
        <ProductChoice
          chosen={productId ? (params.get('name') ?? productId) : null}
          choose={(product) => set({ product: product?.id ?? null, name: product?.name ?? null, category: null })}
        />
        <label className="label">
          By
          <select
            className="field"
            value={granularity}
            onChange={(event) => set({ by: event.target.value === 'WEEK' ? 'week' : null, ahead: null })}
          >
            <option value="DAY">Day</option>
            <option value="WEEK">Week</option>
          </select>
        </label>
        <label className="label">
          Ahead
          <select className="field" value={horizon} onChange={(event) => set({ ahead: event.target.value })}>
            {horizons.map((periods) => (
              <option key={periods} value={periods}>
                {periods} {granularity === 'DAY' ? 'days' : 'weeks'}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && <Failure error={error} again={() => void refetch()} />}
      {!forecast && !error && <Loading />}
      {forecast && !error && <ForecastView forecast={forecast} />}
    </div>
  );
}

function ForecastView({ forecast }: { forecast: ForecastQuery['salesForecast'] }) {
  const { history, points, model } = forecast;
  const dates = useMemo(() => [...history, ...points].map(({ date }) => date), [history, points]);
  const lines = useMemo<Line[]>(() => {
    const gap = history.map(() => null);
    const future = (pick: (point: (typeof points)[number]) => number) => [...gap, ...points.map(pick)];
    return [
      { label: 'Sold', values: [...history.map(({ units }) => units), ...points.map(() => null)], color: '--ink' },
      { label: 'Upper', values: future(({ upper }) => upper), color: '--accent', width: 0.5 },
      { label: 'Lower', values: future(({ lower }) => lower), color: '--accent', width: 0.5 },
      { label: 'Expected', values: future(({ units }) => units), color: '--accent', width: 2.5 },
    ];
  }, [history, points]);
  const sum = points.reduce((units, point) => units + point.units, 0);
  return (
    <>
      <p className="soft">
        {count(Math.round(sum))} units expected in all. Shaded: where sales fall eight times in ten. Model: {model.name}{' '}
        version {model.version}.
      </p>
      <LineChart label="Units sold and expected" dates={dates} lines={lines} band={BAND} format={count} />
      <details>
        <summary>As a table</summary>
        <Scrolled label="Expected sales">
          <table className={table.table}>
            <thead>
              <tr>
                <th>Date</th>
                <th className={table.number}>Expected</th>
                <th className={table.number}>Lower</th>
                <th className={table.number}>Upper</th>
              </tr>
            </thead>
            <tbody>
              {points.map((point) => (
                <tr key={point.date}>
                  <th scope="row">{day(point.date)}</th>
                  <td className={table.number}>{count(point.units)}</td>
                  <td className={table.number}>{count(point.lower)}</td>
                  <td className={table.number}>{count(point.upper)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      </details>
    </>
  );
}

/** Which of the lines the interval lies between. */
const BAND: [number, number] = [1, 2];

interface ProductChoiceProps {
  chosen: string | null;
  choose(product: { id: string; name: string } | null): void;
}

/** A product by its name: what is typed is searched for, and one of what is found can be taken. */
function ProductChoice({ chosen, choose }: ProductChoiceProps) {
  const [typed, setTyped] = useState('');
  const query = typed.trim();
  const { data, previousData } = useQuery(FindProductsDocument, { variables: { query }, skip: query.length < 2 });
  const found = (query.length < 2 ? undefined : (data ?? previousData))?.search.edges.map(({ node }) => node) ?? [];
  return (
    <label className="label">
      Or of a product
      <input
        className="field"
        list="forecast-products"
        value={chosen ?? typed}
        placeholder="Name of a product"
        onChange={(event) => {
          const { value } = event.target;
          const product = found.find(({ name }) => name === value);
          setTyped(product ? '' : value);
          if (product || chosen) choose(product ?? null);
        }}
      />
      <datalist id="forecast-products">
        {found.map(({ id, name }) => (
          <option key={id} value={name} />
        ))}
      </datalist>
    </label>
  );
}
