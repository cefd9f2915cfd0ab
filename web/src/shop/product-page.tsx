import { useQuery } from '@apollo/client/react';
import { useEffect, useState } from 'react';
import { Link, useParams } from 'react-router';
import { assistant } from '../assistant/assistant.ts';
import { ProductPageDocument } from '../graphql/graphql.ts';
import { Failure } from '../ui/failure.tsx';
import { money } from '../ui/formats.ts';
import { Icon } from '../ui/icon.tsx';
import { Loading } from '../ui/loading.tsx';
import { NotFound } from '../ui/not-found.tsx';
import { useTitle } from '../ui/title.ts';
import { linkWith } from './browse-filter.ts';
import { addToCart } from './cart.ts';
import { ProductGrid } from './product-card.tsx';
import styles from './product-page.module.css';
import { ProductPicture } from './product-picture.tsx';
import { track } from './track.ts';

export function ProductPage() {
  const { id = '' } = useParams();
  const { data, error, loading, refetch } = useQuery(ProductPageDocument, { variables: { id } });
  const product = data?.product;
  const [added, setAdded] = useState(false);
  useTitle(product?.name);
  useEffect(() => {
    setAdded(false);
    if (product?.id) track({ type: 'VIEW', productId: product.id });
  }, [product?.id]);

  if (error && !product) return <Failure error={error} again={() => void refetch()} />;
  if (loading && !product) return <Loading />;
  if (!product) return <NotFound />;
  const { category } = product;
  return (
    <div className={styles.page}>
      <nav aria-label="You are here" className={styles.path}>
        <ol>
          {[category.parent, category].map(
            (shelf) =>
              shelf && (
                <li key={shelf.id}>
                  <Link to={`/category/${encodeURIComponent(shelf.id)}`}>{shelf.name}</Link>
                </li>
              ),
          )}
        </ol>
      </nav>
      <article className={styles.product}>
        <ProductPicture product={product} />
        <div className={styles.words}>
          <h1>{product.name}</h1>
          <p className={styles.price}>{money(product.price)}</p>
          <p className={product.inStock ? styles.in : styles.out}>{product.inStock ? 'In stock' : 'Sold out'}</p>
          <p className={styles.description}>{product.description}</p>
          <div className={styles.actions}>
            <button
              type="button"
              className="button"
              data-kind="primary"
              disabled={!product.inStock}
              onClick={() => {
                addToCart(product);
                setAdded(true);
              }}
            >
              Add to cart
            </button>
            <button
              type="button"
              className="button"
              onClick={() => assistant.open({ id: product.id, name: product.name })}
            >
              <Icon name="chat" size={18} /> Ask about it
            </button>
          </div>
          <p role="status" className={styles.added}>
            {added && (
              <>
                In your cart. <Link to="/cart">See the cart</Link>
              </>
            )}
          </p>
          {product.attributes.length > 0 && (
            <dl className={styles.facts}>
              {product.attributes.map(({ name, value }) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>
                    <Link to={linkWith({ name, value })}>{value}</Link>
                  </dd>
                </div>
              ))}
              <div>
                <dt>article number</dt>
                <dd>{product.sku}</dd>
              </div>
            </dl>
          )}
        </div>
      </article>
      {product.similar.length > 0 && (
        <section className={styles.similar} aria-label="Similar products">
          <h2>Similar products</h2>
          <ProductGrid items={product.similar.map((item) => ({ product: item.product }))} />
        </section>
      )}
    </div>
  );
}
