import { useId, useState } from 'react';
import { Link } from 'react-router';
import type { BrowseFilter } from './browse-filter.ts';
import { useCategories } from './categories.ts';
import styles from './filters.module.css';

interface FiltersProps {
  filter: BrowseFilter;
  change(filter: BrowseFilter): void;
  categoryId: string | undefined;
  /** Words searched for, which another shelf does not forget. */
  query: string;
}

export function Filters({ filter, change, categoryId, query }: FiltersProps) {
  const search = query ? `?${new URLSearchParams({ q: query })}` : '';
  const { top, within, find } = useCategories();
  const open = find(categoryId);
  const group = open?.parent?.id ?? open?.id;
  return (
    <div className={styles.filters}>
      <nav aria-label="Categories">
        <ul className={styles.categories}>
          <li>
            <Link to={`/search${search}`} aria-current={!categoryId ? 'page' : undefined}>
              Everything
            </Link>
          </li>
          {top.map(({ id, name }) => (
            <li key={id}>
              <Link
                to={`/category/${encodeURIComponent(id)}${search}`}
                aria-current={id === categoryId ? 'page' : undefined}
              >
                {name}
              </Link>
              {id === group && (
                <ul>
                  {within(id).map((child) => (
                    <li key={child.id}>
                      <Link
                        to={`/category/${encodeURIComponent(child.id)}${search}`}
                        aria-current={child.id === categoryId ? 'page' : undefined}
                      >
                        {child.name}
                      </Link>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
        </ul>
      </nav>
      <fieldset className={styles.price}>
        <legend>Price</legend>
        <PriceField label="From" value={filter.minPrice} change={(minPrice) => change({ ...filter, minPrice })} />
        <PriceField label="To" value={filter.maxPrice} change={(maxPrice) => change({ ...filter, maxPrice })} />
      </fieldset>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={filter.inStock}
          onChange={(event) => change({ ...filter, inStock: event.target.checked })}
        />
        In stock only
      </label>
    </div>
  );
}

interface PriceFieldProps {
  label: string;
  value: number | null;
  change(value: number | null): void;
}

/** Taken when one is done with it: a price is wrong until its last digit. */
function PriceField({ label, value, change }: PriceFieldProps) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const take = () => {
    if (typed === null) return;
    const number = Number(typed);
    change(typed.trim() !== '' && Number.isFinite(number) && number >= 0 ? number : null);
    setTyped(null);
  };
  return (
    <div className="label">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field"
        inputMode="numeric"
        value={typed ?? value ?? ''}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => event.key === 'Enter' && take()}
      />
    </div>
  );
}
