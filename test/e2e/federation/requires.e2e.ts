import { compared } from './support.ts';
import { by, fed2, type Row, reference, type World } from './world.ts';

const photo = (alt: string) => ({ __typename: 'Photo', url: `/${alt}.png`, alt });
const video = (seconds: number) => ({ __typename: 'Video', url: `/${seconds}.mp4`, seconds });
const products: Row[] = [
  {
    sku: 'p1',
    name: 'Kettle',
    weight: 12,
    eur: 30,
    maker: 'm1',
    media: photo('kettle'),
    batch: [[1, 2], [3]],
    size: { width: 2, height: 3, inner: { depth: 4 } },
    parts: [
      { name: 'lid', grams: 3 },
      { name: 'pot', grams: 9 },
    ],
    colours: ['red', 'blue', 'green'],
  },
  {
    sku: 'p2',
    name: 'Drone',
    weight: 40,
    eur: 250,
    maker: 'm2',
    media: video(31),
    batch: [],
    size: null,
    parts: [],
    colours: [],
  },
  {
    sku: 'p3',
    name: 'Stamp',
    weight: null,
    eur: 1,
    maker: 'm1',
    media: null,
    batch: [[], [7]],
    size: { width: 1, height: 1, inner: null },
    parts: [{ name: 'gum', grams: null }],
    colours: ['black'],
  },
];
const makers: Row[] = [
  { id: 'm1', name: 'Acme', country: 'DE' },
  { id: 'm2', name: 'Volt', country: 'JP' },
];
const RATES: Row = { EUR: 1, USD: 2, JPY: 100 };
const price = ({ eur }: Row, { currency }: Row) => eur * RATES[currency];
const colours = (row: Row, { first }: Row) => row.colours.slice(0, first);

/** The rules of what is required, on whatever the row calls it: each world gets its inputs its own way. */
const RULES = {
  estimate: (weight: number | null, express: boolean) => (weight === null ? null : weight * (express ? 3 : 1)),
  insured: (usd: number) => usd * 10,
  duty: (insured: number, estimate: number | null) => insured + (estimate ?? 1000),
  volume: (size: Row | null) => (size ? size.width * size.height * (size.inner?.depth ?? 1) : null),
  label: (media: Row | null) => (media ? `${media.__typename}:${media.alt ?? media.seconds}` : 'nothing'),
  heaviest: (parts: Row[]) => parts.map(({ grams }) => grams ?? 'unknown').join('+'),
  total: (batch: number[][]) => batch.flat().reduce((sum, one) => sum + one, 0),
};

const world: World = {
  subgraphs: {
    catalogue: {
      sdl: fed2(`
        type Query { products: [Product!]! product(sku: ID!): Product }
        type Product @key(fields: "sku") {
          sku: ID! name: String! weight: Int price(currency: Currency!): Int! size: Size maker: Maker! media: Media
          parts: [Part!]! batch: [[Int!]!]! colours(first: Int!): [String!]!
        }
        enum Currency { EUR USD JPY }
        type Size { width: Int! height: Int! inner: Inner }
        type Inner { depth: Int! }
        type Part { name: String! grams: Int }
        type Maker @key(fields: "id", resolvable: false) { id: ID! }
        interface Media { url: String! }
        type Photo implements Media { url: String! alt: String! }
        type Video implements Media { url: String! seconds: Int! }`),
      resolvers: {
        Query: { products: () => products, product: (_, { sku }) => by(products, 'sku', sku) },
        Product: { ...reference(products, 'sku'), price, colours, maker: ({ maker }) => ({ id: maker }) },
      },
    },
    makers: {
      sdl: fed2(
        `type Query { maker(id: ID!): Maker } type Maker @key(fields: "id") { id: ID! name: String! country: String! }`,
      ),
      resolvers: { Query: { maker: (_, { id }) => by(makers, 'id', id) }, Maker: reference(makers) },
    },
    freight: {
      sdl: fed2(`
        type Query { parcels: [Parcel!]! }
        type Parcel { id: ID! content: Product! }
        type Product @key(fields: "sku") {
          sku: ID!
          weight: Int @external
          price(currency: Currency!): Int! @external
          size: Size @external
          media: Media @external
          parts: [Part!]! @external
          batch: [[Int!]!]! @external
          colours(first: Int!): [String!]! @external
          maker: Maker! @external
          estimate(express: Boolean = false): Int @requires(fields: "weight")
          insured: Int! @requires(fields: "price(currency: USD)")
          insuredAtHome: Int! @requires(fields: "price(currency: EUR)")
          volume: Int @requires(fields: "size { width height inner { depth } }")
          label: String! @requires(fields: "media { __typename ... on Photo { alt } ... on Video { seconds } }")
          heaviest: String! @requires(fields: "parts { grams }")
          total: Int! @requires(fields: "batch")
          twoColours: String! @requires(fields: "colours(first: 2)")
          origin: String! @requires(fields: "maker { country }")
          everything: String! @requires(fields: "weight price(currency: JPY) size { height } maker { name }")
        }
        type Maker @key(fields: "id") { id: ID! name: String! @external country: String! @external }
        enum Currency { EUR USD JPY }
        type Size @external { width: Int! height: Int! inner: Inner }
        type Inner @external { depth: Int! }
        type Part @external { grams: Int }
        interface Media { url: String! }
        type Photo implements Media @external { url: String! alt: String! }
        type Video implements Media @external { url: String! seconds: Int! }`),
      resolvers: {
        Query: { parcels: () => products.map(({ sku }) => ({ id: `parcel of ${sku}`, content: { sku } })) },
        Product: {
          estimate: ({ weight }, { express }) => RULES.estimate(weight, express),
          insured: (row) => RULES.insured(row.price),
          insuredAtHome: (row) => RULES.insured(row.price),
          volume: ({ size }) => RULES.volume(size),
          label: ({ media }) => RULES.label(media),
          heaviest: ({ parts }) => RULES.heaviest(parts),
          total: ({ batch }) => RULES.total(batch),
          twoColours: (row) => row.colours.join(),
          origin: ({ maker }) => `made in ${maker.country}`,
          everything: (row) => `${row.weight} ${row.price} ${row.size?.height} ${row.maker.name}`,
        },
      },
    },
    customs: {
      sdl: fed2(`
        type Product @key(fields: "sku") {
          sku: ID!
          insured: Int! @external
          estimate(express: Boolean = false): Int @external
          duty: Int! @requires(fields: "insured estimate(express: true)")
          slowDuty: Int! @requires(fields: "insured estimate(express: false)")
        }`),
      resolvers: {
        Product: {
          duty: ({ insured, estimate }) => RULES.duty(insured, estimate),
          slowDuty: ({ insured, estimate }) => RULES.duty(insured, estimate),
        },
      },
    },
    permits: {
      sdl: fed2(`
        type Product @key(fields: "sku") {
          sku: ID! duty: Int! @external origin: String! @external
          permit: String! @requires(fields: "origin duty")
        }`),
      resolvers: { Product: { permit: ({ origin, duty }) => `${origin}, ${duty} paid` } },
    },
  },
  monolith: {
    sdl: `
      type Query { products: [Product!]! product(sku: ID!): Product maker(id: ID!): Maker parcels: [Parcel!]! }
      type Parcel { id: ID! content: Product! }
      type Product {
        sku: ID! name: String! weight: Int price(currency: Currency!): Int! size: Size maker: Maker! media: Media
        parts: [Part!]! batch: [[Int!]!]! colours(first: Int!): [String!]!
        estimate(express: Boolean = false): Int insured: Int! insuredAtHome: Int! volume: Int label: String! heaviest: String!
        total: Int! twoColours: String! origin: String! everything: String! duty: Int! slowDuty: Int! permit: String!
      }
      enum Currency { EUR USD JPY }
      type Size { width: Int! height: Int! inner: Inner }
      type Inner { depth: Int! }
      type Part { name: String! grams: Int }
      type Maker { id: ID! name: String! country: String! }
      interface Media { url: String! }
      type Photo implements Media { url: String! alt: String! }
      type Video implements Media { url: String! seconds: Int! }`,
    resolvers: {
      Query: {
        products: () => products,
        product: (_, { sku }) => by(products, 'sku', sku),
        maker: (_, { id }) => by(makers, 'id', id),
        parcels: () => products.map((content) => ({ id: `parcel of ${content.sku}`, content })),
      },
      Product: {
        price,
        colours,
        maker: ({ maker }) => by(makers, 'id', maker),
        estimate: ({ weight }, { express }) => RULES.estimate(weight, express),
        insured: (row) => RULES.insured(price(row, { currency: 'USD' })),
        insuredAtHome: (row) => RULES.insured(price(row, { currency: 'EUR' })),
        volume: ({ size }) => RULES.volume(size),
        label: ({ media }) => RULES.label(media),
        heaviest: ({ parts }) => RULES.heaviest(parts),
        total: ({ batch }) => RULES.total(batch),
        twoColours: (row) => colours(row, { first: 2 }).join(),
        origin: ({ maker }) => `made in ${by(makers, 'id', maker)?.country}`,
        everything: (row) =>
          `${row.weight} ${price(row, { currency: 'JPY' })} ${row.size?.height} ${by(makers, 'id', row.maker)?.name}`,
        duty: (row) => duty(row, true),
        slowDuty: (row) => duty(row, false),
        permit: (row) => `made in ${by(makers, 'id', row.maker)?.country}, ${duty(row, true)} paid`,
      },
    },
  },
};
function duty(row: Row, express: boolean): number {
  return RULES.duty(RULES.insured(price(row, { currency: 'USD' })), RULES.estimate(row.weight, express));
}

compared(
  'requires',
  world,
  {
    'gives a field what it requires': '{ products { name estimate } }',
    'gives what is null as null': '{ product(sku: "p3") { estimate volume label } }',
    'starts where the required field is not': '{ parcels { id content { estimate(express: true) volume } } }',
    'keeps what the client asks for too': '{ products { weight estimate size { width } volume } }',
    'requires an object in an object': '{ products { volume size { inner { depth } height } } }',
    'requires a list of objects': '{ products { heaviest parts { name } } }',
    'requires a list of lists': '{ products { total batch } }',
    'requires in fragments': '{ products { label media { url ... on Photo { alt } } } }',
    'requires a field with an argument': '{ products { insured } }',
    'requires one field with two arguments that conflict': '{ products { insured insuredAtHome } }',
    'requires with an argument what the client asks with another':
      '{ products { price(currency: JPY) insured insuredAtHome } }',
    'requires with an argument what the client asks with the same': '{ products { price(currency: USD) insured } }',
    'requires with an argument under every name of the client':
      '{ products { price(currency: EUR) usd: price(currency: USD) jpy: price(currency: JPY) insured insuredAtHome everything } }',
    "keeps apart the client's longer list and a shorter required one": '{ products { colours(first: 3) twoColours } }',
    "keeps apart the client's shorter list and a longer required one": '{ products { colours(first: 1) twoColours } }',
    "takes the client's argument from a variable": [
      'query ($currency: Currency! = JPY, $first: Int!) { products { price(currency: $currency) insured colours(first: $first) twoColours } }',
      { first: 1 },
    ],
    'gives the argument of the requiring field on': [
      'query ($express: Boolean) { products { a: estimate(express: $express) b: estimate(express: true) c: estimate } }',
      { express: null },
    ],
    'requires a field of another entity': '{ products { origin } }',
    'requires a field of another entity, asked for too': '{ parcels { content { origin maker { name country id } } } }',
    'requires what requires': '{ products { duty } }',
    'requires what requires, with two arguments that conflict':
      '{ products { duty slowDuty estimate(express: false) } }',
    'keeps an alias that is the name of a required field': '{ products { weight: name estimate } }',
    'keeps aliases that swap required fields': '{ products { size: weight weight: name volume estimate } }',
    'keeps an alias that is the name of the requiring field': '{ products { estimate: insured insured: estimate } }',
    'keeps an alias of the required object': '{ products { size { w: width width: height } volume } }',
    'requires for one branch and not for another':
      '{ a: product(sku: "p1") { estimate } b: product(sku: "p1") { name } }',
    'requires under a condition': [
      'query ($yes: Boolean!, $no: Boolean!) { products { estimate @include(if: $yes) volume @skip(if: $yes) label @include(if: $no) weight @include(if: $no) } }',
      { yes: true, no: false },
    ],
    'requires in fragments of the client': `
    { products { ...Freight ... on Product { volume } } }
    fragment Freight on Product { estimate insured ...More }
    fragment More on Product { insuredAtHome price(currency: JPY) }`,
  },
  {
    // The planner fetches such a field of a subgraph, where its own query begins there, without what it requires.
    'requires what requires what requires': '{ parcels { content { permit } } }',
    'requires what requires, from where the inner one is': '{ parcels { content { duty } } }',
    'requires what requires, beside the inner one': '{ parcels { content { insured duty } } }',
    'requires everything at once':
      '{ parcels { content { sku name estimate insured insuredAtHome volume label heaviest total twoColours origin everything duty slowDuty permit } } }',
  },
);
