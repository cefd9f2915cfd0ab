import { useDeferredValue } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Link, useParams, useSearchParams } from 'react-router';
import { Empty } from '../ui/empty.tsx';
import { Failure } from '../ui/failure.tsx';
import { count } from '../ui/formats.ts';
import { Icon } from '../ui/icon.tsx';
import { LoadMore } from '../ui/load-more.tsx';
import { useTitle } from '../ui/title.ts';
import { type BrowseFilter, productFilter, readFilter, SORTS, writeFilter } from './browse-filter.ts';
import styles from './browse-page.module.css';
import { useCategories } from './categories.ts';
import { Filters } from './filters.tsx';
import { ProductGrid, ProductGridSkeleton } from './product-card.tsx';
import { useProducts } from './use-products.ts';

/** A shelf of the shop, or what a search found. */
export function BrowsePage() {
  const { categoryId } = useParams();
  const [params, setParams] = useSearchParams();
  const query = (params.get('q') ?? '').trim();
  const filter = readFilter(params);
  const change = (next: BrowseFilter) => setParams(writeFilter(params, next), { replace: true });
  const category = useCategories().find(categoryId);
  const title = [query && `“${query}”`, category?.name].filter(Boolean).join(' in ') || 'Everything';
  useTitle(title);
  const list = useProducts(query, productFilter(filter, categoryId), filter.sort);
  // What was found before stays in view while the next is looked for.
  const products = useDeferredValue(list.products);
  const filters = <Filters filter={filter} change={change} categoryId={categoryId} query={query} />;
  return (
    <div className={styles.browse}>
      <aside className={styles.side} aria-label="Filters">
        {filters}
      </aside>
      <section className={styles.results} aria-label="Products">
        <div className={styles.head}>
          <h1>{title}</h1>
          <p className="soft" role="status">
            {list.products ? `${count(list.total)} ${list.total === 1 ? 'product' : 'products'}` : ' '}
          </p>
          <div className={styles.tools}>
            <DialogTrigger>
              <Button className={`button ${styles.narrow}`}>
                <Icon name="filter" size={18} /> Filter
              </Button>
              <ModalOverlay className={styles.overlay ?? ''} isDismissable>
                <Modal className={styles.modal ?? ''}>
                  <Dialog className={styles.dialog ?? ''}>
                    {({ close }) => (
                      <>
                        <Heading slot="title">Filter</Heading>
                        {filters}
                        <Button className="button" data-kind="primary" onPress={close}>
                          Show {count(list.total)}
                        </Button>
                      </>
                    )}
                  </Dialog>
                </Modal>
              </ModalOverlay>
            </DialogTrigger>
            {!query && (
              <select
                className={`field ${styles.sort}`}
                aria-label="Sort by"
                value={filter.sort}
                onChange={(event) => change({ ...filter, sort: event.target.value as BrowseFilter['sort'] })}
              >
                {(['NEWEST', 'PRICE_ASC', 'PRICE_DESC', 'NAME'] as const).map((sort) => (
                  <option key={sort} value={sort}>
                    {SORTS[sort]}
                  </option>
                ))}
              </select>
            )}
          </div>
        </div>
        {filter.attributes.length > 0 && (
          <ul className={styles.chips} aria-label="With">
            {filter.attributes.map((attribute) => (
              <li key={`${attribute.name}:${attribute.value}`}>
                <button
                  type="button"
                  className={styles.chip}
                  onClick={() =>
                    change({ ...filter, attributes: filter.attributes.filter((other) => other !== attribute) })
                  }
                >
                  {attribute.name}: {attribute.value} <Icon name="close" size={14} />
                  <span className="visually-hidden">Remove</span>
                </button>
              </li>
            ))}
          </ul>
        )}
        {list.error && !list.products && <Failure error={list.error} again={list.again} />}
        {list.loading && !list.products && <ProductGridSkeleton />}
        {products && products.length > 0 && <ProductGrid items={products.map((product) => ({ product }))} />}
        {list.products?.length === 0 && (
          <Empty title="Nothing fits">
            <p>
              Try other words or fewer filters, or <Link to="/search">see everything</Link>.
            </p>
          </Empty>
        )}
        {/* Not while what it stands below is still being drawn. */}
        <LoadMore more={products === list.products ? list.more : null} loading={list.loadingMore} />
      </section>
    </div>
  );
}
