import { useState } from 'react';
import { Link } from 'react-router';
import { Empty } from '../ui/empty.tsx';
import { money } from '../ui/formats.ts';
import { useStore } from '../ui/store.ts';
import { useTitle } from '../ui/title.ts';
import { buyCart, type CartLine, cart, MOST_PIECES, setQuantity } from './cart.ts';
import styles from './cart-page.module.css';
import { ProductPicture } from './product-picture.tsx';

export function CartPage() {
  useTitle('Cart');
  const lines = useStore(cart);
  const [bought, setBought] = useState(false);
  if (bought && lines.length === 0) {
    return (
      <Empty title="Thank you">
        <p>
          This demonstration takes no money and sends nothing. Your purchase is recorded: the next training learns from
          it. <Link to="/">Back to the shop</Link>
        </p>
      </Empty>
    );
  }
  if (lines.length === 0) {
    return (
      <Empty title="Your cart is empty">
        <p>
          <Link to="/">Find something</Link>
        </p>
      </Empty>
    );
  }
  return (
    <div className={styles.page}>
      <h1>Cart</h1>
      <ul className={styles.lines}>
        {lines.map(({ product, quantity }) => (
          <li key={product.id}>
            <ProductPicture product={product} />
            <div>
              <Link to={`/product/${encodeURIComponent(product.id)}`}>{product.name}</Link>
              <p className="soft">{money(product.price)}</p>
            </div>
            <input
              className="field"
              type="number"
              min={0}
              max={MOST_PIECES}
              value={quantity}
              aria-label={`Pieces of ${product.name}`}
              onChange={(event) => setQuantity(product.id, Math.max(0, Math.floor(event.target.valueAsNumber || 0)))}
            />
            <button type="button" className="button" data-kind="quiet" onClick={() => setQuantity(product.id, 0)}>
              Remove
              <span className="visually-hidden">{product.name}</span>
            </button>
          </li>
        ))}
      </ul>
      <div className={styles.sum}>
        <p>
          Total <strong>{totals(lines).map(money).join(' + ')}</strong>
        </p>
        <button
          type="button"
          className="button"
          data-kind="primary"
          onClick={() => {
            buyCart();
            setBought(true);
          }}
        >
          Buy
        </button>
      </div>
    </div>
  );
}

/** One sum for each currency. */
function totals(lines: readonly CartLine[]) {
  const sums = new Map<string, number>();
  for (const { product, quantity } of lines) {
    const { amount, currency } = product.price;
    sums.set(currency, (sums.get(currency) ?? 0) + amount * quantity);
  }
  return [...sums].map(([currency, amount]) => ({ currency, amount }));
}
