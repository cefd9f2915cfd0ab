import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { loadCatalog } from './loader.ts';
import { CatalogStore } from './store.ts';
import { productRow, writeBatch } from './testing.ts';

let db: Database;
beforeEach(async () => {
  db = await createDatabase('catalog');
});
afterEach(() => db?.close());

const SWORDS = { id: 'swords', name: 'Swords', parent_id: null };
const ids = async (table: string) =>
  (await db.query<{ id: string }>(`SELECT id FROM catalog.${table} ORDER BY id`)).map(({ id }) => id);
const versions = () => db.query('SELECT id, xmin::text FROM catalog.products ORDER BY id');

describe('loadCatalog', () => {
  it('loads what the batch has, maps and times included', async () => {
    const products = [
      productRow('p1', {
        attributes: [
          ['steel', 'scarlet'],
          ['use', 'a\tb\\n"c"'],
        ],
        price: 0.1,
      }),
    ];
    const batch = await writeBatch('generated', {
      categories: [SWORDS],
      products,
      users: [{ id: 'u1', name: 'Kanao' }],
    });
    expect(await loadCatalog(db, ...batch)).toEqual({ categories: 1, products: 1, users: 1 });
    const [row] = await db.query('SELECT * FROM catalog.products');
    expect(row).toMatchObject({
      id: 'p1',
      sku: 'SKU-p1',
      price: '0.1',
      attributes: { steel: 'scarlet', use: 'a\tb\\n"c"' },
      stock: 5,
      created_at: new Date('2026-01-01T00:00:00Z'),
      source: 'generated',
      in_lake: true,
    });
    expect(await db.query('SELECT * FROM catalog.users')).toEqual([{ id: 'u1', name: 'Kanao', source: 'generated' }]);
  });

  it('changes nothing when it is repeated', async () => {
    const batch = await writeBatch('generated', {
      categories: [SWORDS],
      products: [productRow('p1'), productRow('p2', { created_at: null })],
    });
    await loadCatalog(db, ...batch);
    const before = await versions();
    await loadCatalog(db, ...batch);
    expect(await versions()).toEqual(before);
  });

  it('takes away what a newer batch of its kind no longer has', async () => {
    const care = { id: 'care', name: 'Care', parent_id: null };
    await loadCatalog(
      db,
      ...(await writeBatch('generated', {
        categories: [SWORDS, care],
        products: [productRow('p1'), productRow('p2')],
        users: [{ id: 'u1', name: 'a' }],
      })),
    );
    await loadCatalog(
      db,
      ...(await writeBatch('generated', {
        categories: [SWORDS],
        products: [productRow('p2'), productRow('p3')],
        users: [{ id: 'u2', name: 'b' }],
      })),
    );
    expect([await ids('products'), await ids('categories'), await ids('users')]).toEqual([
      ['p2', 'p3'],
      ['swords'],
      ['u2'],
    ]);
  });

  it('replaces generated rows by an import, whatever tables it has, and never the other way', async () => {
    await loadCatalog(
      db,
      ...(await writeBatch('generated', {
        categories: [SWORDS],
        products: [productRow('g1'), productRow('both')],
        users: [{ id: 'u1', name: 'a' }],
      })),
    );
    const imported = [
      productRow('both', { name: 'Imported', category_id: 'own' }),
      productRow('i1', { category_id: 'own' }),
    ];
    await loadCatalog(db, ...(await writeBatch('imported', { products: imported })));
    expect([await ids('products'), await ids('categories'), await ids('users')]).toEqual([['both', 'i1'], ['own'], []]);
    await loadCatalog(db, ...(await writeBatch('imported', { users: [{ id: 'u2', name: 'b' }] })));
    expect(await ids('products')).toEqual(['both', 'i1']);
    await loadCatalog(db, ...(await writeBatch('generated', { categories: [SWORDS], products: [productRow('both')] })));
    const kept = await db.query("SELECT name, source FROM catalog.products WHERE id = 'both'");
    expect(kept).toEqual([{ name: 'Imported', source: 'imported' }]);
  });

  it('keeps the category, and those above, of a product that the API wrote', async () => {
    const top = { id: 'top', name: 'Top', parent_id: null };
    await loadCatalog(
      db,
      ...(await writeBatch('generated', {
        categories: [top, { ...SWORDS, parent_id: 'top' }],
        products: [productRow('p1')],
      })),
    );
    await db.query("UPDATE catalog.products SET source = 'api'");
    await loadCatalog(db, ...(await writeBatch('imported', { products: [], categories: [{ ...top, id: 'new' }] })));
    expect(await ids('products')).toEqual(['p1']);
    expect(await ids('categories')).toEqual(['new', 'swords', 'top']);
  });

  it('fills in what data from outside leaves open', async () => {
    const bare = Object.fromEntries(Object.keys(productRow('x')).map((column) => [column, null]));
    const products = [
      { ...bare, id: 'p1' },
      { ...bare, id: null, name: 'nobody' },
      productRow('p2', {
        name: 'a\0b',
        category_id: 'unheard',
        price: Number.NaN,
        stock: -3,
        attributes: [
          ['k\0', null],
          ['n', '\0v'],
        ],
      }),
      productRow('p2'),
    ];
    await loadCatalog(db, ...(await writeBatch('imported', { products })));
    const rows =
      await db.query(`SELECT p.id, p.name, p.sku, p.price::float8, p.currency, p.stock, p.attributes, c.name AS category
      FROM catalog.products p JOIN catalog.categories c ON c.id = p.category_id ORDER BY p.id`);
    expect(rows[0]).toEqual({
      id: 'p1',
      name: 'p1',
      sku: 'p1',
      price: 0,
      currency: 'USD',
      stock: null,
      attributes: {},
      category: 'Uncategorised',
    });
    expect(rows).toHaveLength(2);
    expect(await ids('categories')).toContain('unheard');
  });

  it('takes a product with more text than a search index can hold', async () => {
    const words = (tag: string) => Array.from({ length: 100_000 }, (_, n) => `${tag}${n}`).join(' ');
    const attributes = Array.from({ length: 150 }, (_, n) => [`a${n}`, words(`v${n}x`)]);
    const huge = productRow('p1', { name: words('n'), description: words('d'), attributes });
    await loadCatalog(db, ...(await writeBatch('imported', { products: [huge] })));
    const [row] = await db.query('SELECT length(description) > 500000 AS whole, attributes FROM catalog.products');
    expect(row?.whole).toBe(true);
    expect(Object.keys(row?.attributes as object)).toHaveLength(100);
  });

  it('refuses a batch that is incomplete, of another kind, or without a description', async () => {
    const refused = expect.objectContaining({ extensions: { code: 'LAKE_UNREADABLE' } });
    const [incomplete, its] = await writeBatch('generated', {});
    await incomplete.remove(`${its}/_SUCCESS`);
    await expect(loadCatalog(db, incomplete, its)).rejects.toEqual(refused);
    await expect(loadCatalog(db, ...(await writeBatch('tracked', {})))).rejects.toEqual(refused);
    const [lake, batch] = await writeBatch('generated', {});
    await lake.remove(`${batch}/batch.json`);
    await expect(loadCatalog(db, lake, batch)).rejects.toEqual(refused);
    await expect(loadCatalog(db, lake, 'raw/nowhere')).rejects.toEqual(refused);
  });

  it('leaves the catalogue as it was when a file is broken', async () => {
    await loadCatalog(db, ...(await writeBatch('generated', { categories: [SWORDS], products: [productRow('p1')] })));
    const [lake, broken] = await writeBatch('generated', {
      products: [productRow('p2')],
      users: [{ id: 'u9', name: 'x' }],
    });
    await lake.write(`${broken}/users/part-0.parquet`, 'PAR1 this is not Parquet');
    await expect(loadCatalog(db, lake, broken)).rejects.toMatchObject({ extensions: { code: 'LAKE_UNREADABLE' } });
    expect(await ids('products')).toEqual(['p1']);
  });

  it('waits for an upsert that is at work, and keeps the category it needs', async () => {
    await loadCatalog(db, ...(await writeBatch('generated', { categories: [SWORDS], products: [] })));
    const store = new CatalogStore(db);
    const opened = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = new CatalogStore({
      query: (text, values) => db.query(text, values),
      // The real transaction, held open before its commit.
      transaction: (work) =>
        db.transaction(async (tx) => {
          const result = await work(tx);
          opened.resolve();
          await release.promise;
          return result;
        }),
    });
    const draft = {
      id: 'mine',
      sku: 'M',
      name: 'Mine',
      description: '',
      price: 1,
      currency: 'JPY',
      categoryId: 'swords',
    };
    const upserting = slow.upsert([{ ...draft, attributes: {}, stock: 1, imageUrl: null }], () => 'new');
    await opened.promise;
    const loading = loadCatalog(db, ...(await writeBatch('generated', { categories: [], products: [] })));
    await new Promise((resolve) => setTimeout(resolve, 100));
    release.resolve();
    await Promise.all([upserting, loading]);
    expect(await ids('categories')).toEqual(['swords']);
    expect(await store.productsById(['mine'])).toMatchObject([{ categoryId: 'swords' }]);
  });

  it('shows readers the old catalogue or the new one, never a mixture', async () => {
    // Nothing in common, so that no row makes two loads wait for each other by chance.
    const shop = (tag: string) =>
      writeBatch('generated', {
        categories: [{ ...SWORDS, id: tag }],
        products: Array.from({ length: 300 }, (_, n) => productRow(`${tag}${n}`, { category_id: tag })),
      });
    await loadCatalog(db, ...(await shop('a')));
    // Two that replace the same shop at once: each must delete what the other wrote.
    const batches = [await shop('b'), await shop('c'), await shop('d')];
    let loading = true;
    const loads = Promise.all(batches.map((batch) => loadCatalog(db, ...batch))).finally(() => {
      loading = false;
    });
    for (let last = false; !last; ) {
      last = !loading; // once more when all is done
      const [seen] = await db.query<{ tags: number; total: number }>(
        'SELECT count(DISTINCT left(id, 1))::int AS tags, count(*)::int AS total FROM catalog.products',
      );
      expect(seen).toEqual({ tags: 1, total: 300 });
    }
    await loads;
  });
});
