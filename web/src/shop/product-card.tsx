import { Link } from 'react-router';
import type { ProductTileFragment, RecommendationReason } from '../graphql/graphql.ts';
import { money } from '../ui/formats.ts';
import styles from './product-card.module.css';
import { ProductPicture } from './product-picture.tsx';

/** Why a product is shown, in words for a shopper. */
const REASONS: Record<RecommendationReason, string> = {
  PERSONAL: 'Picked for you',
  SIMILAR_TO_VIEWED: 'Like what you viewed',
  BOUGHT_TOGETHER: 'Often bought together',
  POPULAR: 'Popular now',
};

export function ProductCard({ product, reason }: { product: ProductTileFragment; reason?: RecommendationReason }) {
  return (
    <article className={styles.card}>
      <ProductPicture product={product} />
      <div className={styles.words}>
        {reason && <p className={styles.reason}>{REASONS[reason]}</p>}
        <h3 className={styles.name}>
          <Link to={`/product/${encodeURIComponent(product.id)}`}>{product.name}</Link>
        </h3>
        <p className={styles.price}>
          {money(product.price)}
          {!product.inStock && <span className={styles.out}>Sold out</span>}
        </p>
      </div>
    </article>
  );
}

/** Products side by side, as many as fit. */
export function ProductGrid({
  items,
}: {
  items: readonly { product: ProductTileFragment; reason?: RecommendationReason }[];
}) {
  return (
    <ul className={styles.grid}>
      {items.map(({ product, reason }) => (
        <li key={product.id}>
          <ProductCard product={product} {...(reason ? { reason } : {})} />
        </li>
      ))}
    </ul>
  );
}

/** Holds the place of products that are still to come, so that nothing jumps. */
export function ProductGridSkeleton({ length = 12 }: { length?: number }) {
  return (
    <div role="status">
      <span className="visually-hidden">Loading products …</span>
      <ul className={styles.grid} aria-hidden="true">
        {Array.from({ length }, (_, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
          <li key={place} className={styles.skeleton}>
            <div />
            <p />
            <p />
          </li>
        ))}
      </ul>
    </div>
  );
}
