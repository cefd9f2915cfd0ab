// The catalogue's own words, free of GraphQL and SQL.

export interface Product {
  id: string;
  sku: string;
  name: string;
  description: string;
  price: { amount: number; currency: string };
  categoryId: string;
  /** By name. */
  attributes: Attribute[];
  inStock: boolean;
  /** Null when the source does not count stock. */
  stock: number | null;
  imageUrl: string | null;
}

export interface Attribute {
  name: string;
  value: string;
}

export interface Category {
  id: string;
  name: string;
  parentId: string | null;
}

export interface ProductFilter {
  /** This category and all below it. */
  categoryId?: string;
  minPrice?: number;
  maxPrice?: number;
  inStock?: boolean;
  /** Every name must match; several values of one name are alternatives. */
  attributes: Map<string, string[]>;
}

/** What a product is, as the API is told; `id` null: the product with this SKU, or a new one. */
export interface ProductDraft {
  id: string | null;
  sku: string;
  name: string;
  description: string;
  price: number;
  currency: string;
  categoryId: string;
  attributes: Record<string, string>;
  stock: number;
  imageUrl: string | null;
}

export const EVENT_TYPES = ['VIEW', 'ADD_TO_CART', 'PURCHASE'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface TrackedEvent {
  clientEventId: string;
  /** Null: a visitor. */
  userId: string | null;
  productId: string;
  type: EventType;
  quantity: number;
  occurredAt: Date;
}
