import { createHash } from 'node:crypto';

/** What the search index knows of a product, beside its id. */
export interface IndexedProduct {
  name: string;
  description: string;
  attributes: Record<string, string>;
  /** Name of its category. */
  category: string;
  categoryId: string;
  price: number;
  inStock: boolean;
}

/** What dense search can filter by. */
export interface DocumentMetadata {
  price: number;
  inStock: boolean;
  category: string;
}

export interface Document {
  /** What is embedded. */
  text: string;
  metadata: DocumentMetadata;
  /** Equal when nothing has to be embedded again. */
  textHash: string;
  /** Equal when the metadata need not be written again. */
  metadataHash: string;
}

/** Grows whenever documents of unchanged products become others: vectors of another version are in another collection. */
export const DOCUMENT_VERSION = 1;

/**
 * The document of a product: its name and kind first, because an embedder reads only some 256 tokens; then its attributes, where the
 * words stand that shoppers ask with (style, use, steel), in the order of their names; then its description.
 */
export function toDocument(product: IndexedProduct): Document {
  const { name, description, attributes, category, price, inStock, categoryId } = product;
  const properties = Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value}`)
    .join('; ');
  const text = [name, category, properties, description]
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('. ');
  const metadata = { price, inStock, category: categoryId };
  return { text, metadata, textHash: hash(text), metadataHash: hash(JSON.stringify(metadata)) };
}

/** 128 bits are enough to tell texts apart that nobody chose to be alike. */
const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
