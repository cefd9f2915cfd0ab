import { describe, expect, it } from 'vitest';
import { type IndexedProduct, toDocument } from './documents.ts';

const katana: IndexedProduct = {
  name: 'Akane Flame Katana',
  description: 'Forged for the flame style.',
  attributes: { use: 'display', 'breathing style': 'Flame' },
  category: 'Katana',
  categoryId: 'c-katana',
  price: 42_000,
  inStock: true,
};

describe('the document of a product', () => {
  it('has its name, category, attributes in order and description', () => {
    expect(toDocument(katana).text).toBe(
      'Akane Flame Katana. Katana. breathing style: Flame; use: display. Forged for the flame style.',
    );
  });

  it('leaves out what is empty', () => {
    expect(toDocument({ ...katana, description: ' ', attributes: {} }).text).toBe('Akane Flame Katana. Katana');
  });

  it('tells a change of price or stock from one of the text', () => {
    const { textHash, metadataHash } = toDocument(katana);
    for (const change of [{ price: 1 }, { inStock: false }, { categoryId: 'c-tanto' }]) {
      const changed = toDocument({ ...katana, ...change });
      expect(changed.textHash).toBe(textHash);
      expect(changed.metadataHash).not.toBe(metadataHash);
    }
    for (const change of [{ name: 'x' }, { description: 'x' }, { category: 'Blades' }, { attributes: { use: 'x' } }]) {
      const changed = toDocument({ ...katana, ...change });
      expect(changed.textHash).not.toBe(textHash);
      expect(changed.metadataHash).toBe(metadataHash);
    }
  });

  it('is the same whatever order the attributes come in', () => {
    const attributes = Object.fromEntries(Object.entries(katana.attributes).reverse());
    expect(toDocument({ ...katana, attributes })).toEqual(toDocument(katana));
  });
});
