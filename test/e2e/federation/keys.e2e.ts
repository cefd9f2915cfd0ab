import { compared } from './support.ts';
import { by, fed2, type Row, type World } from './world.ts';

const books: Row[] = [
  { id: 'b1', isbn: '978-1', code: 'X1', title: 'Walden', price: 9, author: 'a1', stars: 5, tenant: 't1' },
  { id: 'b2', isbn: '978-2', code: 'X2', title: 'Dune', price: 12, author: 'a2', stars: 4, tenant: 't1' },
  { id: 'b3', isbn: '978-3', code: null, title: 'Emma', price: 7, author: 'a1', stars: null, tenant: 't2' },
  { id: 'b4', isbn: '978-4', code: 'X4', title: 'Ubik', price: 8, author: null, stars: null, tenant: 't2' },
];
const authors: Row[] = [
  { id: 'a1', name: 'Henry', born: 1817, pen: { first: 'H', last: 'T' } },
  { id: 'a2', name: 'Frank', born: 1920, pen: { first: 'F', last: 'H' } },
];
/** An edition is known by its book and number, a shop by its city and street. */
const editions: Row[] = books.flatMap(({ isbn }, index) =>
  [1, 2].map((number) => ({ isbn, number, pages: 100 * number + index, grams: 10 * number + index })),
);
const shops: Row[] = [
  { city: 'Bonn', street: 'Markt', name: 'Lesen', open: true, sells: ['b1', 'b3'] },
  { city: 'Bonn', street: 'Am Ring', name: 'Blatt', open: false, sells: ['b2', 'b1', 'b2'] },
];
const imprint = { id: 'i1', label: 'Penguin', city: 'London' };

const editionRow = ({ isbn, number }: Row): Row => ({ isbn, number, book: by(books, 'isbn', isbn) });
const findEdition = (isbn: string, number: number) =>
  editions.find((edition) => edition.isbn === isbn && edition.number === number) ?? null;
const findShop = ({ city, street }: Row) => shops.find((shop) => shop.city === city && shop.street === street) ?? null;
const bookOf = (ref: Row): Row | null => {
  const key = ['isbn', 'id'].find((name) => name in ref) ?? 'code';
  return by(books, key, ref[key]);
};

const world: World = {
  subgraphs: {
    catalogue: {
      sdl: fed2(`
        type Query { books: [Book!]! book(isbn: String!): Book shelves: [[Book]!] editions: [Edition!]! imprint: Imprint }
        type Book @key(fields: "isbn") @key(fields: "id") { isbn: String! id: ID! title: String! tenant: Tenant! editions: [Edition!]! }
        type Tenant @key(fields: "id", resolvable: false) { id: ID! }
        type Edition @key(fields: "book { isbn } number") { book: Book! number: Int! pages: Int! }
        type Imprint @key(fields: "id") { id: ID! label: String! @shareable city: String! }`),
      resolvers: {
        Query: {
          books: () => books.map((book) => ({ ...book, tenant: { id: book.tenant } })),
          book: (_, { isbn }) => by(books, 'isbn', isbn),
          shelves: () => [[books[0], null, books[2]], [], [books[3], books[0]]],
          editions: () => editions.map((edition) => ({ ...editionRow(edition), pages: edition.pages })),
          imprint: () => imprint,
        },
        Book: {
          __resolveReference: bookOf,
          tenant: ({ tenant }) => (typeof tenant === 'string' ? { id: tenant } : tenant),
          editions: ({ isbn }) => editions.filter((edition) => edition.isbn === isbn).map(editionRow),
        },
        Edition: {
          __resolveReference: ({ book, number }) => ({ ...editionRow({ isbn: book.isbn, number }), number }),
          pages: ({ book, number }) => findEdition(book.isbn, number)?.pages,
        },
        Imprint: { __resolveReference: () => imprint },
      },
    },
    library: {
      sdl: fed2(`
        type Query { coded(code: String!): Book }
        type Book @key(fields: "id") @key(fields: "code") { id: ID! code: String author: Author imprint: Imprint }
        type Author @key(fields: "id", resolvable: false) { id: ID! }
        type Imprint { id: ID! @shareable label: String! @shareable }`),
      resolvers: {
        Query: { coded: (_, { code }) => by(books, 'code', code) },
        Book: {
          __resolveReference: bookOf,
          author: ({ author }) => author && { id: author },
          imprint: () => ({ id: 'i1', label: 'Penguin' }),
        },
      },
    },
    people: {
      sdl: fed2(`
        type Query { authors: [Author!]! pen(first: String!, last: String!): Author }
        type Author @key(fields: "id") @key(fields: "pen { first last }") { id: ID! pen: Pen! name: String! }
        type Pen { first: String! @shareable last: String! @shareable }`),
      resolvers: {
        Query: {
          authors: () => authors,
          pen: (_, args) => authors.find(({ pen }) => pen.first === args.first && pen.last === args.last),
        },
        Author: {
          __resolveReference: (ref) =>
            ref.id ? by(authors, 'id', ref.id) : authors.find(({ pen }) => pen.last === ref.pen.last),
        },
      },
    },
    archive: {
      sdl: fed2(`
        type Author @key(fields: "pen { last first }") { pen: Pen! born: Int works: [Book!]! }
        type Pen { first: String! @shareable last: String! @shareable }
        type Book @key(fields: "isbn", resolvable: false) { isbn: String! }`),
      resolvers: {
        Author: {
          __resolveReference: ({ pen }) =>
            authors.find((one) => one.pen.first === pen.first && one.pen.last === pen.last),
          works: ({ id }) => books.filter(({ author }) => author === id).map(({ isbn }) => ({ isbn })),
        },
      },
    },
    ratings: {
      sdl: fed2(`type Book @key(fields: "code") { code: String stars: Int }`),
      resolvers: { Book: { __resolveReference: ({ code }) => (code ? by(books, 'code', code) : null) } },
    },
    shops: {
      sdl: fed2(`
        type Query { shops: [Shop!]! }
        type Shop @key(fields: "city street") { city: String! street: String! name: String! sells: [Book!]! }
        type Book @key(fields: "id", resolvable: false) { id: ID! isbn: String! @external }
        type Edition @key(fields: "number book { isbn }") { book: Book! number: Int! grams: Int! }
        type Tenant @key(fields: "id") { id: ID! plan: String! }`),
      resolvers: {
        Query: { shops: () => shops },
        Shop: { sells: ({ sells }) => sells.map((id: string) => ({ id })) },
        Edition: { __resolveReference: ({ book, number }) => findEdition(book.isbn, number) },
        Tenant: { __resolveReference: ({ id }) => ({ id, plan: `plan of ${id}` }) },
      },
    },
    hours: {
      sdl: fed2(`type Shop @key(fields: "street city") { street: String! city: String! open: Boolean! }`),
      resolvers: { Shop: { __resolveReference: findShop } },
    },
  },
  monolith: {
    sdl: `
      type Query {
        books: [Book!]! book(isbn: String!): Book shelves: [[Book]!] editions: [Edition!]! imprint: Imprint
        coded(code: String!): Book authors: [Author!]! pen(first: String!, last: String!): Author shops: [Shop!]!
      }
      type Book { isbn: String! id: ID! title: String! tenant: Tenant! editions: [Edition!]! code: String author: Author imprint: Imprint stars: Int }
      type Tenant { id: ID! plan: String! }
      type Edition { book: Book! number: Int! pages: Int! grams: Int! }
      type Imprint { id: ID! label: String! city: String! }
      type Author { id: ID! pen: Pen! name: String! born: Int works: [Book!]! }
      type Pen { first: String! last: String! }
      type Shop { city: String! street: String! name: String! sells: [Book!]! open: Boolean! }`,
    resolvers: {
      Query: {
        books: () => books,
        book: (_, { isbn }) => by(books, 'isbn', isbn),
        shelves: () => [[books[0], null, books[2]], [], [books[3], books[0]]],
        editions: () => editions,
        imprint: () => imprint,
        coded: (_, { code }) => by(books, 'code', code),
        authors: () => authors,
        pen: (_, args) => authors.find(({ pen }) => pen.first === args.first && pen.last === args.last),
        shops: () => shops,
      },
      Book: {
        tenant: ({ tenant }) => ({ id: tenant, plan: `plan of ${tenant}` }),
        editions: ({ isbn }) => editions.filter((edition) => edition.isbn === isbn),
        author: ({ author }) => by(authors, 'id', author),
        imprint: () => imprint,
      },
      Edition: { book: ({ isbn }) => by(books, 'isbn', isbn) },
      Author: { works: ({ id }) => books.filter(({ author }) => author === id) },
      Shop: { sells: ({ sells }) => sells.map((id: string) => by(books, 'id', id)) },
    },
  },
};

compared('keys', world, {
  'reads one entity from two subgraphs': '{ book(isbn: "978-1") { title author { id } } }',
  'reads it with its key asked for too': '{ book(isbn: "978-1") { isbn id title author { id name } } }',
  'reaches a subgraph through the key of another': '{ books { title stars } }',
  'leaves null what has a null key, without an error': '{ books { id code stars } }',
  'starts from the last of the chain': '{ coded(code: "X2") { stars title author { name born } } }',
  'starts with an entity that there is not': '{ coded(code: "none") { stars title } book(isbn: "none") { stars } }',
  'follows a stub that cannot be resolved where it is': '{ books { author { name } tenant { id plan } } }',
  'reads a key of several fields in another order': '{ shops { name open } }',
  'reads a key of several fields, asked for too': '{ shops { street city open name } }',
  'reads a key inside another object': '{ editions { number pages grams } }',
  'reads a key inside another object, asked for too': '{ editions { book { isbn title } number grams pages } }',
  'reads a nested key of two fields in another order': '{ authors { name born } }',
  'reads a nested key of two fields, aliased': '{ authors { pen { f: first last } born name } }',
  'goes there and back again': '{ authors { works { title author { name works { id stars } } } } }',
  'goes through three subgraphs for one list': '{ shops { sells { title stars author { born } } open } }',
  'asks once for an entity that a list has twice': '{ shops { sells { id title } } }',
  'walks lists of lists with holes': '{ shelves { title stars author { name } } }',
  'knows an entity that is a plain value elsewhere': '{ imprint { label } books { imprint { id city } } }',
  'reads an alias in the place of a key': '{ books { id: title isbn: id stars author { id: name born } } }',
  'reads one field under two names, each with its own selection':
    '{ books { first: author { name } second: author { born } author { id } } }',
  'reads the same entity from two roots': '{ book(isbn: "978-2") { stars } coded(code: "X2") { title stars } }',
  'reads one root twice with other arguments':
    '{ a: book(isbn: "978-1") { stars } b: book(isbn: "978-2") { stars title } }',
  'knows the type of every object':
    '{ __typename books { __typename author { __typename name } editions { __typename grams } } }',
  'gives nothing but types': '{ shelves { __typename } shops { t: __typename sells { __typename } } }',
});
