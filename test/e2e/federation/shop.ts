import { badInput, HashiraError } from '../../../subgraphs/kit/errors.ts';
import { by, fed2, type Resolver, type Resolvers, type Row, reference, type World } from './world.ts';

/**
 * A shop of five subgraphs that uses what federation offers: interfaces as entities, interface objects, several and composite
 * keys, required fields with arguments, provided fields, shared values, unions known in part, and fields that fail.
 */
const products: Row[] = [
  {
    __typename: 'Book',
    id: 'p1',
    isbn: 'i1',
    name: 'Walden',
    eur: 10,
    pages: 300,
    author: 'a1',
    size: { width: 2, height: 3 },
    tags: ['old', 'wood'],
  },
  { __typename: 'Book', id: 'p2', isbn: 'i2', name: 'Dune', eur: 15, pages: 600, author: 'a2', size: null, tags: [] },
  {
    __typename: 'Gadget',
    id: 'p3',
    name: 'Drone',
    eur: 250,
    volts: 11.1,
    parts: [
      { code: 'r', grams: 12 },
      { code: 'b', grams: null },
    ],
    grid: [[1, 2], [3]],
    size: { width: 4, height: 1 },
    tags: ['fast'],
  },
  {
    __typename: 'Gadget',
    id: 'p4',
    name: 'Lamp',
    eur: 30,
    volts: null,
    parts: [],
    grid: null,
    size: { width: 1, height: 9 },
    tags: ['light', 'old'],
  },
];
const authors: Row[] = [
  { __typename: 'Author', id: 'a1', name: 'Henry', born: 1817 },
  { __typename: 'Author', id: 'a2', name: 'Frank', born: null },
];
const users: Row[] = [
  { __typename: 'User', id: 'u1', email: 'ann@x', name: 'Ann', friends: ['u2', 'u3'], likes: ['p1', 'p3'], vip: true },
  { __typename: 'User', id: 'u2', email: 'bo@x', name: 'Bo', friends: [], likes: [], vip: false },
  { __typename: 'User', id: 'u3', email: 'cy@x', name: 'Cy', friends: ['u1'], likes: ['p4', 'p2', 'p1'], vip: false },
];
const reviews: Row[] = [
  {
    id: 'r1',
    stars: 5,
    text: 'fine',
    user: 'u1',
    product: 'p1',
    media: [{ __typename: 'Photo', url: '/1', width: 10 }],
  },
  { id: 'r2', stars: 1, text: 'bad', user: 'u2', product: 'p1', media: [] },
  {
    id: 'r3',
    stars: 4,
    text: null,
    user: 'u3',
    product: 'p3',
    media: [
      { __typename: 'Clip', url: '/2', seconds: 7 },
      { __typename: 'Photo', url: '/3', width: 20 },
    ],
  },
  { id: 'r4', stars: 3, text: 'so so', user: 'u9', product: 'p4', media: [] },
];
const depots: Row[] = [
  { country: 'DE', city: 'Bonn', area: 100, stock: { p1: 3, p3: 1 } },
  { country: 'NO', city: 'Oslo', area: 50, stock: { p1: 8, p4: 0 } },
];

const RATES: Row = { EUR: 1, USD: 2, JPY: 100 };
const product = (id: unknown) => by(products, 'id', id);
const upper = ({ name }: Row, args: Row) => (args.upper ? name.toUpperCase() : name);
const price = ({ eur }: Row, { currency }: Row) => ({ amount: eur * RATES[currency], currency });
const tags = (row: Row, { first }: Row) => row.tags.slice(0, first ?? undefined);
const reviewsOf =
  (key: string) =>
  ({ id }: Row, { minStars, first }: Row) =>
    reviews.filter((review) => review[key] === id && review.stars >= (minStars ?? 0)).slice(0, first ?? undefined);
const mean = (list: Row[]) => (list.length ? list.reduce((sum, { stars }) => sum + stars, 0) / list.length : null);
const fans = ({ id }: Row, { first }: Row) =>
  users.filter(({ likes }) => likes.includes(id)).slice(0, first ?? undefined);
const stub = (id: unknown) => ({ __typename: product(id)?.__typename, id });
const meanOf = (row: Row) => mean(reviewsOf('product')(row, {}));
const find = (_: Row, { filter, first }: Row) =>
  products.filter((row) => fits(row, filter)).slice(0, first ?? undefined);
function fits(row: Row, filter: Row | null | undefined): boolean {
  if (!filter) return true;
  const { kinds, maxPrice, name, tag } = filter;
  return (
    (!kinds || kinds.includes(row.__typename.toUpperCase())) &&
    (maxPrice?.amount === undefined || row.eur * RATES[maxPrice.currency] <= maxPrice.amount) &&
    (!name || row.name.includes(name)) &&
    (!tag || row.tags.includes(tag))
  );
}
const fragile = ({ id }: Row) => {
  if (id === 'p2' || id === 'u3') throw badInput('This one is fragile.');
  return `ok ${id}`;
};
const audit = ({ id }: Row) => (id === 'r2' ? new HashiraError('FORBIDDEN', 'Not for you.') : `seen ${id}`);

/** What is computed of required fields, on the values whatever brought them. */
const RULES = {
  freight: (size: Row | null, eur: number, express: boolean) =>
    size ? size.width * size.height * (express ? 2 : 1) + eur : null,
  badge: (name: string, usd: number) => `${name}/${usd}`,
  offer: (mean: number | null, yen: number) => `${mean}@${yen}`,
  sticker: (shown: readonly string[]) => shown.join('+'),
  greeting: (name: string, vip: boolean) => `${vip ? 'Dear' : 'Hi'} ${name}`,
};

const CATALOGUE_FIELDS = `id: ID! name(upper: Boolean = false): String! price(currency: Currency! = EUR): Money! size: Size
  tags(first: Int): [String!]! fragile: String sturdy: String!`;
const FILTER =
  'input Filter { kinds: [Kind!] maxPrice: Price name: String tag: String } input Price { amount: Int! currency: Currency! = EUR }';
const own = { name: upper, price, tags, fragile, sturdy: fragile };

const subgraphs: World['subgraphs'] = {
  catalogue: {
    sdl: fed2(`
      type Query {
        products(filter: Filter, first: Int = 3): [Product!]! product(id: ID!): Product book(isbn: String!): Book
        search(text: String!): [Found!]! shelves: [[Product]!]! node(id: ID!): Node version: String! @shareable
      }
      enum Currency { EUR USD JPY } enum Kind { BOOK GADGET }
      ${FILTER}
      interface Node { id: ID! }
      interface Product implements Node @key(fields: "id") { ${CATALOGUE_FIELDS} }
      type Book implements Product & Node @key(fields: "id") @key(fields: "isbn") { ${CATALOGUE_FIELDS} isbn: String! pages: Int! author: Author }
      type Gadget implements Product & Node @key(fields: "id") { ${CATALOGUE_FIELDS} volts: Float parts: [Part!]! grid: [[Int]!] }
      type Money @shareable { amount: Int! currency: Currency! }
      type Size @shareable { width: Int! height: Int! }
      type Part { code: ID! grams: Int }
      type Author implements Node @key(fields: "id") { id: ID! name: String! born: Int books(first: Int = 2): [Book!]! }
      union Found = Book | Gadget | Author`),
    resolvers: {
      Query: {
        products: find,
        product: (_, { id }) => product(id),
        book: (_, { isbn }) => by(products, 'isbn', isbn),
        search: (_, { text }) => [...products, ...authors].filter(({ name }) => name.includes(text)),
        shelves: () => [[products[0], null, products[2]], [], [products[1]]],
        node: (_, { id }) => by([...products, ...authors], 'id', id),
        version: () => 'v1',
      },
      Product: reference(products) as never,
      Book: {
        __resolveReference: (ref) => by(products, ref.isbn ? 'isbn' : 'id', ref.isbn ?? ref.id),
        ...own,
        author: ({ author }) => by(authors, 'id', author),
      },
      Gadget: { ...reference(products), ...own },
      Author: {
        ...reference(authors),
        books: ({ id }, { first }) => products.filter(({ author }) => author === id).slice(0, first ?? undefined),
      },
    },
  },
  reviews: {
    sdl: fed2(`
      type Query { latest(first: Int! = 2): [Review!]! review(id: ID!): Review best: Product version: String! @shareable }
      enum Currency { EUR USD JPY }
      interface Node { id: ID! }
      type Product @key(fields: "id") @interfaceObject {
        id: ID!
        name(upper: Boolean = false): String! @external
        price(currency: Currency! = EUR): Money! @external
        tags(first: Int): [String!]! @external
        reviews(minStars: Int = 1, first: Int): [Review!]!
        mean: Float
        badge: String! @requires(fields: "name(upper: true) price(currency: USD) { amount }")
        sticker: String @requires(fields: "tags(first: 1)")
      }
      type Money @shareable { amount: Int! currency: Currency! }
      type Review implements Node @key(fields: "id") {
        id: ID! stars: Int! text: String author: User! @provides(fields: "name") product: Product! media: [Media!]! audit: String
      }
      type User @key(fields: "id") { id: ID! name: String! @external reviews(minStars: Int = 1, first: Int): [Review!]! }
      interface File { url: String! }
      type Photo implements File @shareable { url: String! width: Int! }
      type Clip implements File { url: String! seconds: Int! }
      union Media = Photo | Clip`),
    resolvers: {
      Query: {
        latest: (_, { first }) => reviews.slice(0, first),
        review: (_, { id }) => by(reviews, 'id', id),
        best: () => ({ id: 'p3' }),
        version: () => 'v1',
      },
      Product: {
        __resolveReference: (ref) => ref,
        reviews: reviewsOf('product'),
        mean: meanOf,
        badge: (row) => RULES.badge(row.name, row.price.amount),
        sticker: (row) => RULES.sticker(row.tags),
      },
      Review: {
        ...reference(reviews),
        author: ({ user }) => ({ id: user, name: by(users, 'id', user)?.name }),
        product: (row) => ({ id: row.product }),
        audit,
      },
      User: { __resolveReference: (ref) => ref, reviews: reviewsOf('user') },
    },
  },
  users: {
    sdl: fed2(`
      type Query { me: User users(first: Int = 2): [User!]! user(email: String!): User found: Media }
      type Mutation { rename(id: ID!, name: String!): User! }
      type User implements Node @key(fields: "id") @key(fields: "email") {
        id: ID! email: String! name: String! @shareable friends(first: Int): [User!]! likes: [Product!]! vip: Boolean! @inaccessible fragile: String
      }
      interface Node { id: ID! }
      interface Product @key(fields: "id") { id: ID! fans(first: Int): [User!]! }
      type Book implements Product @key(fields: "id") { id: ID! fans(first: Int): [User!]! }
      type Gadget implements Product @key(fields: "id") { id: ID! fans(first: Int): [User!]! }
      type Photo @shareable { url: String! width: Int! }
      type Scan { dots: Int! }
      union Media = Photo | Scan`),
    resolvers: {
      Query: {
        me: () => users[0],
        users: (_, { first }) => users.slice(0, first ?? undefined),
        user: (_, { email }) => by(users, 'email', email),
        found: () => ({ __typename: 'Photo', url: '/9', width: 90 }),
      },
      Mutation: { rename: (_, { id, name }) => ({ ...(by(users, 'id', id) ?? users[0]), name }) },
      User: {
        __resolveReference: (ref) => by(users, ref.id ? 'id' : 'email', ref.id ?? ref.email),
        friends: ({ friends }, { first }) =>
          friends.slice(0, first ?? undefined).map((id: string) => by(users, 'id', id)),
        likes: ({ likes }) => likes.map(stub),
        fragile,
      },
      Product: { __resolveReference: ({ id }) => stub(id) },
      Book: { __resolveReference: ({ id }) => stub(id), fans },
      Gadget: { __resolveReference: ({ id }) => stub(id), fans },
    },
  },
  freight: {
    sdl: fed2(`
      type Query { depots: [Depot!]! depot(country: String!, city: String!): Depot }
      enum Currency { EUR USD JPY }
      type Book @key(fields: "isbn") {
        isbn: String! size: Size @external price(currency: Currency! = EUR): Money! @external
        freight(express: Boolean = false): Int @requires(fields: "size { width height } price(currency: EUR) { amount }")
        depots: [Depot!]!
      }
      type Gadget @key(fields: "id") {
        id: ID! size: Size @external price(currency: Currency! = EUR): Money! @external parts: [Part!]! @external
        freight(express: Boolean = false): Int @requires(fields: "size { width height } price(currency: EUR) { amount }")
        grams: Int @requires(fields: "parts { grams }")
        depots: [Depot!]!
      }
      type Part @external { grams: Int }
      type Money @shareable { amount: Int! currency: Currency! }
      type Size @shareable { width: Int! height: Int! }
      type Depot @key(fields: "country city") { country: String! city: String! goods: [Good!]! }
      union Good = Book | Gadget`),
    resolvers: {
      Query: {
        depots: () => depots,
        depot: (_, { country, city }) => depots.find((row) => row.country === country && row.city === city),
      },
      Book: {
        freight: ({ size, price }, { express }) => RULES.freight(size, price.amount, express),
        depots: ({ isbn }) => depots.filter(({ stock }) => stock[by(products, 'isbn', isbn)?.id]),
      },
      Gadget: {
        freight: ({ size, price }, { express }) => RULES.freight(size, price.amount, express),
        grams: ({ parts }) => parts.reduce((sum: number, part: Row) => sum + (part.grams ?? 0), 0),
        depots: ({ id }) => depots.filter(({ stock }) => stock[id]),
      },
      Depot: {
        goods: ({ stock }) =>
          Object.keys(stock)
            .map((id) => product(id) as Row)
            .map(({ __typename, id, isbn }) => ({ __typename, id, isbn })),
      },
    },
  },
  insight: {
    sdl: fed2(`
      type Query { topics: [Topic!]! }
      enum Currency { EUR USD JPY }
      type Topic { name: String! picks: [Review!]! owner: User }
      type Review @key(fields: "id", resolvable: false) { id: ID! }
      type Product @key(fields: "id") @interfaceObject {
        id: ID! mean: Float @external price(currency: Currency! = EUR): Money! @external
        offer: String! @requires(fields: "mean price(currency: JPY) { amount }")
      }
      type Money @shareable { amount: Int! currency: Currency! }
      type User @key(fields: "email") { email: String! name: String! @external vip: Boolean! @external greeting: String! @requires(fields: "name vip") }
      type Depot @key(fields: "city country") { city: String! country: String! area: Int }`),
    resolvers: {
      Query: {
        topics: () => [
          { name: 'wood', picks: [{ id: 'r1' }, { id: 'r4' }], owner: { email: 'cy@x' } },
          { name: 'none', picks: [], owner: null },
        ],
      },
      Product: { offer: ({ mean, price }) => RULES.offer(mean, price.amount) },
      User: { greeting: ({ name, vip }) => RULES.greeting(name, vip) },
      Depot: {
        __resolveReference: (ref) => depots.find(({ country, city }) => country === ref.country && city === ref.city),
      },
    },
  },
};

const all = `${CATALOGUE_FIELDS} reviews(minStars: Int = 1, first: Int): [Review!]! mean: Float badge: String! sticker: String
  fans(first: Int): [User!]! offer: String!`;
const freight = (row: Row, { express }: Row) => RULES.freight(row.size, row.eur, express);
const badge = (row: Row) => RULES.badge(row.name.toUpperCase(), row.eur * 2);
const userOf = (id: unknown) => by(users, 'id', id) ?? { __typename: 'User', id };
const everyProduct: Resolvers[string] = {
  ...own,
  reviews: reviewsOf('product'),
  mean: meanOf,
  badge,
  sticker: (row) => RULES.sticker(row.tags.slice(0, 1)),
  fans,
  offer: (row) => RULES.offer(meanOf(row), row.eur * 100),
  freight,
  depots: ({ id }) => depots.filter(({ stock }) => stock[id]),
};

const rootsOf = (subgraph: string) => subgraphs[subgraph]?.resolvers?.Query as Record<string, Resolver>;

export const shop: World = {
  subgraphs,
  monolith: {
    sdl: `
      type Query {
        products(filter: Filter, first: Int = 3): [Product!]! product(id: ID!): Product book(isbn: String!): Book
        search(text: String!): [Found!]! shelves: [[Product]!]! node(id: ID!): Node version: String!
        latest(first: Int! = 2): [Review!]! review(id: ID!): Review best: Product
        me: User users(first: Int = 2): [User!]! user(email: String!): User found: Media
        depots: [Depot!]! depot(country: String!, city: String!): Depot topics: [Topic!]!
      }
      type Mutation { rename(id: ID!, name: String!): User! }
      enum Currency { EUR USD JPY } enum Kind { BOOK GADGET }
      ${FILTER}
      interface Node { id: ID! }
      interface File { url: String! }
      interface Product implements Node { ${all} }
      type Book implements Product & Node { ${all} isbn: String! pages: Int! author: Author freight(express: Boolean = false): Int depots: [Depot!]! }
      type Gadget implements Product & Node {
        ${all} volts: Float parts: [Part!]! grid: [[Int]!] freight(express: Boolean = false): Int grams: Int depots: [Depot!]!
      }
      type Money { amount: Int! currency: Currency! }
      type Size { width: Int! height: Int! }
      type Part { code: ID! grams: Int }
      type Author implements Node { id: ID! name: String! born: Int books(first: Int = 2): [Book!]! }
      union Found = Book | Gadget | Author
      type Review implements Node { id: ID! stars: Int! text: String author: User! product: Product! media: [Media!]! audit: String }
      type User implements Node {
        id: ID! email: String! name: String! friends(first: Int): [User!]! likes: [Product!]! fragile: String
        reviews(minStars: Int = 1, first: Int): [Review!]! greeting: String!
      }
      type Photo implements File { url: String! width: Int! }
      type Clip implements File { url: String! seconds: Int! }
      type Scan { dots: Int! }
      union Media = Photo | Clip | Scan
      type Depot { country: String! city: String! goods: [Good!]! area: Int }
      union Good = Book | Gadget
      type Topic { name: String! picks: [Review!]! owner: User }`,
    resolvers: {
      Query: {
        ...rootsOf('catalogue'),
        ...rootsOf('reviews'),
        ...rootsOf('users'),
        ...rootsOf('freight'),
        best: () => product('p3'),
        topics: () => [
          { name: 'wood', picks: [reviews[0], reviews[3]], owner: users[2] },
          { name: 'none', picks: [], owner: null },
        ],
      },
      Mutation: { rename: (_, { id, name }) => ({ ...(by(users, 'id', id) ?? users[0]), name }) },
      Book: { ...everyProduct, author: ({ author }) => by(authors, 'id', author) },
      Gadget: {
        ...everyProduct,
        grams: ({ parts }) => parts.reduce((sum: number, part: Row) => sum + (part.grams ?? 0), 0),
      },
      Author: {
        books: ({ id }, { first }) => products.filter(({ author }) => author === id).slice(0, first ?? undefined),
      },
      Review: { author: ({ user }) => userOf(user), product: (row) => product(row.product), audit },
      User: {
        friends: ({ friends }, { first }) => friends?.slice(0, first ?? undefined).map(userOf),
        likes: ({ likes }) => likes?.map(product),
        reviews: reviewsOf('user'),
        // Of a user that only the reviews still know, nothing else is left.
        greeting: ({ email, name, vip }) => (email ? RULES.greeting(name, vip) : null),
        fragile: (row) => (row.email ? fragile(row) : null),
      },
      Depot: { goods: ({ stock }) => Object.keys(stock).map(product) },
    },
  },
};
