import type { ProductTileFragment } from '../graphql/graphql.ts';
import { Store } from '../ui/store.ts';
import { track } from './track.ts';

export interface CartLine {
  product: ProductTileFragment;
  quantity: number;
}

const KEPT = 'cart';
export const MOST_PIECES = 99;

/** The cart of this browser; other tabs see it, too. */
export const cart = new Store<readonly CartLine[]>(read());

cart.subscribe(() => localStorage.setItem(KEPT, JSON.stringify(cart.value)));
addEventListener('storage', ({ key }) => {
  if (key === KEPT) cart.set(read());
});

export const piecesIn = (lines: readonly CartLine[]): number =>
  lines.reduce((pieces, { quantity }) => pieces + quantity, 0);

export function addToCart(product: ProductTileFragment): void {
  const { id, name, price, inStock, imageUrl, category } = product;
  const kept = { id, name, price, inStock, imageUrl, category: { id: category.id, name: category.name } };
  const before = cart.value.find((line) => line.product.id === id)?.quantity ?? 0;
  const others = cart.value.filter((line) => line.product.id !== id);
  cart.set([...others, { product: kept, quantity: Math.min(before + 1, MOST_PIECES) }]);
  track({ type: 'ADD_TO_CART', productId: id });
}

/** @param quantity 0 takes it out */
export function setQuantity(productId: string, quantity: number): void {
  cart.set(
    cart.value
      .map((line) => (line.product.id === productId ? { ...line, quantity: Math.min(quantity, MOST_PIECES) } : line))
      .filter((line) => line.quantity > 0),
  );
}

/** Records the purchase of all that is in the cart, and empties it. */
export function buyCart(): void {
  for (const { product, quantity } of cart.value) track({ type: 'PURCHASE', productId: product.id, quantity });
  cart.set([]);
}

function read(): CartLine[] {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? '[]') as CartLine[];
  } catch {
    return [];
  }
}
