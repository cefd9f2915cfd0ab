import { badInput } from '../kit/errors.ts';
import type { Attribute, ProductDraft } from './model.ts';
import { checkLength } from './text.ts';

/** A product as a client sends it. */
export interface ProductInput {
  id?: string | null;
  sku: string;
  name: string;
  description: string;
  price: number;
  currency: string;
  categoryId: string;
  attributes?: Attribute[] | null;
  stock: number;
  imageUrl?: string | null;
}

const MAX_PRODUCTS = 500;
const MAX_ATTRIBUTES = 100;
const MAX_PRICE = 1e12;

/** @throws HashiraError BAD_USER_INPUT that names the SKU of the first product with a problem */
export function toDrafts(inputs: readonly ProductInput[]): ProductDraft[] {
  if (inputs.length > MAX_PRODUCTS) throw badInput(`At most ${MAX_PRODUCTS} products can be sent at once.`, 'products');
  const drafts = inputs.map(toDraft);
  refuseRepeats(drafts.map((draft) => draft.sku));
  refuseRepeats(drafts.flatMap((draft) => draft.id ?? []));
  return drafts;
}

function toDraft(input: ProductInput): ProductDraft {
  checkLength(input.sku, 1, 200, '"sku"');
  const of = `Product "${input.sku}":`;
  const wrong = (what: string) => badInput(`${of} ${what}`, 'products');
  if (input.id != null) checkLength(input.id, 1, 200, `${of} "id"`);
  checkLength(input.name, 1, 500, `${of} "name"`);
  checkLength(input.description, 0, 20_000, `${of} "description"`);
  if (!(input.price >= 0 && input.price <= MAX_PRICE)) throw wrong(`"price" must be between 0 and ${MAX_PRICE}.`);
  if (!/^[A-Z]{3}$/.test(input.currency)) throw wrong('"currency" must be an ISO 4217 code, for example JPY.');
  if (input.stock < 0) throw wrong('"stock" must not be negative.');
  if (input.imageUrl != null && !isWebAddress(input.imageUrl))
    throw wrong('"imageUrl" must be an http or https address of at most 2000 characters.');
  const attributes = input.attributes ?? [];
  if (attributes.length > MAX_ATTRIBUTES) throw wrong(`"attributes" must be at most ${MAX_ATTRIBUTES}.`);
  for (const { name, value } of attributes) {
    checkLength(name, 1, 100, `${of} the name of an attribute`);
    checkLength(value, 0, 1_000, `${of} the value of an attribute`);
  }
  const byName = Object.fromEntries(attributes.map(({ name, value }) => [name, value]));
  if (Object.keys(byName).length < attributes.length) throw wrong('an attribute is given twice.');
  const { sku, name, description, price, currency, categoryId, stock } = input;
  return {
    id: input.id ?? null,
    sku,
    name,
    description,
    price,
    currency,
    categoryId,
    attributes: byName,
    stock,
    imageUrl: input.imageUrl ?? null,
  };
}

function isWebAddress(text: string): boolean {
  return text.length <= 2_000 && /^https?:\/\//i.test(text) && URL.canParse(text);
}

function refuseRepeats(keys: readonly string[]): void {
  const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
  if (repeated !== undefined) throw badInput(`"${repeated}" is in "products" twice.`, 'products');
}
