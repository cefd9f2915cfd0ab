import type { Csr, Tables } from './bundle.ts';

/** Other products near one. */
export interface Neighbour {
  productId: string;
  /** Similarity by users, 0..1, plus CONTENT_SHARE of the similarity by attributes, 0..1. */
  score: number;
  /** Whether those who bought the one often bought the other. */
  boughtTogether: boolean;
}

// Strongest neighbours of a product that are worth telling a user about.
const SIMILAR = 10;
const BOUGHT = 5;
// Attributes decide between products that users tell little about, as new ones.
const CONTENT_SHARE = 0.2;

/** Which products belong together: for lists of similar products, and to say why something is recommended. */
export class Neighbours {
  /** For each item the few items most similar to it, and those most often bought by its buyers. */
  private readonly similar: Int32Array[];
  private readonly bought: Int32Array[];
  /** Rows are attribute values, columns items. */
  private readonly itemsOfToken: Csr;

  constructor(private readonly tables: Tables) {
    const items = tables.ids.length;
    this.similar = strongestRows(tables.knn, items, SIMILAR);
    this.bought = strongestRows(tables.bought, items, BOUGHT);
    this.itemsOfToken = transposed(tables.tokens, tables.tokenCount);
  }

  /** Whether some of these products is among those most often bought together with an item. */
  boughtWith(item: number, productIds: ReadonlySet<string>): boolean {
    return this.bought[item]?.some((other) => productIds.has(this.tables.ids[other] as string)) ?? false;
  }

  /** Whether some of these products is among those most similar to an item. */
  similarTo(item: number, productIds: ReadonlySet<string>): boolean {
    return this.similar[item]?.some((other) => productIds.has(this.tables.ids[other] as string)) ?? false;
  }

  /** The `most` products nearest to one, nearest first; null when the model does not know it. */
  of(productId: string, most: number): Neighbour[] | null {
    const { tables } = this;
    const item = tables.numberOf.get(productId);
    if (item === undefined) return null;
    const scores = new Map<number, number>();
    const add = (other: number, score: number) => {
      if (other !== item) scores.set(other, (scores.get(other) ?? 0) + score);
    };
    for (const [other, value] of row(tables.knn, item)) add(other, value);
    for (const [token, weight] of row(tables.tokens, item))
      for (const [other, value] of row(this.itemsOfToken, token)) add(other, CONTENT_SHARE * weight * value);
    const together = new Set([item]);
    return [...scores]
      .filter(([, score]) => score > 0)
      .sort(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b)
      .slice(0, most)
      .map(([other, score]) => ({
        productId: tables.ids[other] as string,
        score,
        boughtTogether: this.bought[other]?.some((bought) => together.has(bought)) ?? false,
      }));
  }
}

function* row(matrix: Csr, number: number): Generator<[number, number]> {
  const end = matrix.indptr[number + 1] ?? 0;
  for (let entry = matrix.indptr[number] ?? end; entry < end; entry++)
    yield [matrix.indices[entry] as number, matrix.values[entry] as number];
}

function transposed(matrix: Csr, columns: number): Csr {
  const indptr = new Int32Array(columns + 1);
  for (const column of matrix.indices) indptr[column + 1] = (indptr[column + 1] as number) + 1;
  for (let column = 0; column < columns; column++)
    indptr[column + 1] = (indptr[column + 1] as number) + (indptr[column] as number);
  const next = indptr.slice();
  const indices = new Int32Array(matrix.indices.length);
  const values = new Float32Array(matrix.values.length);
  for (let number = 0; number + 1 < matrix.indptr.length; number++)
    for (const [column, value] of row(matrix, number)) {
      const place = next[column] as number;
      next[column] = place + 1;
      indices[place] = number;
      values[place] = value;
    }
  return { indptr, indices, values };
}

/** For each column the numbers of the rows with its largest positive values. */
function strongestRows(matrix: Csr, columns: number, most: number): Int32Array[] {
  const byColumn = transposed(matrix, columns);
  return Array.from({ length: columns }, (_, column) =>
    Int32Array.from(
      [...row(byColumn, column)]
        .filter(([, value]) => value > 0)
        .sort(([a, valueA], [b, valueB]) => valueB - valueA || a - b)
        .slice(0, most)
        .map(([number]) => number),
    ),
  );
}
