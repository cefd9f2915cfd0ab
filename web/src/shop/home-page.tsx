import { useQuery } from '@apollo/client/react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { assistant } from '../assistant/assistant.ts';
import { HomeDocument } from '../graphql/graphql.ts';
import { session } from '../session/session.ts';
import { Failure } from '../ui/failure.tsx';
import { useStore } from '../ui/store.ts';
import { useTitle } from '../ui/title.ts';
import { CategoryLinks } from './category-links.tsx';
import styles from './home-page.module.css';
import { ProductGrid, ProductGridSkeleton } from './product-card.tsx';

export function HomePage() {
  useTitle(undefined);
  const { data, loading, error, refetch } = useQuery(HomeDocument);
  const isVisitor = !useStore(session).token;
  const personal = data?.me?.recommendations;
  const recommended = personal?.edges.map(({ node }) => node) ?? [];
  return (
    <div className={styles.home}>
      <section className={styles.welcome}>
        {isVisitor ? (
          <>
            <h1>Blades, cloth and craft, for every style</h1>
            <p>
              Sign in to see what is chosen for you, or{' '}
              <button type="button" className="link" onClick={() => assistant.open()}>
                ask the assistant
              </button>
              .
            </p>
          </>
        ) : (
          <>
            <h1>{data?.me ? `For you, ${data.me.name}` : 'For you'}</h1>
            <p>
              {personal && !personal.model
                ? 'Look around: what you view shapes what you see here.'
                : 'Chosen from what you have looked at and bought.'}
            </p>
          </>
        )}
        <CategoryLinks />
      </section>
      {error && !data && <Failure error={error} again={() => void refetch()} />}
      {loading && !data && <ProductGridSkeleton />}
      {recommended.length > 0 && (
        <Shelf title="Recommended" hidden>
          <ProductGrid items={recommended} />
        </Shelf>
      )}
      {data?.me && data.me.recentlyViewed.length > 0 && (
        <Shelf title="Viewed lately">
          <ProductGrid items={data.me.recentlyViewed.map((product) => ({ product }))} />
        </Shelf>
      )}
      {data && (
        <Shelf title="Popular now">
          {data.popular.length > 0 ? (
            <ProductGrid items={data.popular.map(({ product }) => ({ product }))} />
          ) : (
            <p className="soft">
              Nobody has been here yet. <Link to="/search?q=">Browse everything</Link>
            </p>
          )}
        </Shelf>
      )}
    </div>
  );
}

function Shelf({ title, hidden = false, children }: { title: string; hidden?: boolean; children: ReactNode }) {
  return (
    <section className={styles.shelf} aria-label={title}>
      <h2 className={hidden ? 'visually-hidden' : undefined}>{title}</h2>
      {children}
    </section>
  );
}
