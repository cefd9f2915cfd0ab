import { compared } from './support.ts';
import { by, fed2, type Row, reference, type World } from './world.ts';

const authors: Row[] = [
  { id: 'a1', name: 'Ann', country: 'NO', address: { city: 'Oslo', zip: '0150' } },
  { id: 'a2', name: 'Bo', country: 'SE', address: { city: 'Lund', zip: '22100' } },
];
const animals: Row[] = [
  { __typename: 'Dog', id: 'd1', name: 'Rex', barks: 3, keeper: 'a1' },
  { __typename: 'Cat', id: 'c1', name: 'Tom', lives: 9, keeper: 'a2' },
];
const shelter = { id: 'h1', animals, beds: 20 };
const posts: Row[] = [
  { id: 'p1', title: 'On dogs', author: 'a1', about: 'd1', likes: 5, slug: 'on-dogs', views: 50 },
  { id: 'p2', title: 'On cats', author: 'a2', about: 'c1', likes: 7, slug: 'on-cats', views: 70 },
  { id: 'p3', title: 'On nothing', author: null, about: null, likes: 0, slug: 'on-nothing', views: 0 },
];
const animalTypes = (id: string, more = '') => `
  type Dog implements Animal @key(fields: "id") { id: ID! ${id} }
  type Cat implements Animal @key(fields: "id") { id: ID! ${id} ${more} }`;

const world: World = {
  subgraphs: {
    blog: {
      sdl: fed2(`
        type Query {
          posts: [Post!]! @provides(fields: "author { name }")
          post(id: ID!): Post
          deep: [Post!]! @provides(fields: "author { address { city } }")
          shelter: Shelter! @provides(fields: "animals { id name }")
          pets: [Pet!]! @provides(fields: "... on Dog { name } ... on Cat { lives }")
          version: String! @shareable
        }
        type Post @key(fields: "id") {
          id: ID! title: String! author: Author about: Animal stats: Stats! @shareable
          slug: String! views: Int!
        }
        type Stats { likes: Int! @shareable }
        type Author @key(fields: "id") { id: ID! name: String! @external address: Address @external }
        type Address { city: String! @external }
        type Shelter @key(fields: "id") { id: ID! animals: [Animal!]! @external }
        interface Animal { id: ID! name: String! }
        ${animalTypes('name: String! @external', 'lives: Int! @external')}
        union Pet = Dog | Cat`),
      resolvers: {
        Query: {
          posts: () => posts,
          post: (_, { id }) => by(posts, 'id', id),
          deep: () => posts,
          shelter: () => shelter,
          pets: () => animals,
          version: () => 'v1',
        },
        Shelter: { __resolveReference: () => shelter },
        Post: {
          ...reference(posts),
          author: ({ author }) => by(authors, 'id', author),
          about: ({ about }) => by(animals, 'id', about),
          stats: ({ likes }) => ({ likes }),
        },
        Author: reference(authors),
      },
    },
    people: {
      sdl: fed2(`
        type Query { authors: [Author!]! version: String! @shareable }
        type Author @key(fields: "id") { id: ID! name: String! @shareable country: String! address: Address @shareable }
        type Address { city: String! @shareable zip: String! @shareable }`),
      resolvers: { Query: { authors: () => authors, version: () => 'v1' }, Author: reference(authors) },
    },
    zoo: {
      sdl: fed2(`
        type Shelter @key(fields: "id") { id: ID! animals: [Animal!]! @shareable beds: Int! }
        interface Animal { id: ID! name: String! }
        type Dog implements Animal @key(fields: "id") { id: ID! name: String! @shareable barks: Int! keeper: Author! }
        type Cat implements Animal @key(fields: "id") { id: ID! name: String! @shareable lives: Int! @shareable keeper: Author! }
        type Author @key(fields: "id", resolvable: false) { id: ID! }`),
      resolvers: {
        Shelter: { __resolveReference: () => shelter },
        Dog: { ...reference(animals), keeper: ({ keeper }) => ({ id: keeper }) },
        Cat: { ...reference(animals), keeper: ({ keeper }) => ({ id: keeper }) },
      },
    },
    counters: {
      sdl: fed2(`
        type Query { top: Post version: String! @shareable }
        type Post @key(fields: "id") { id: ID! stats: Stats! @shareable views: Int! @override(from: "blog") }
        type Stats { likes: Int! @shareable }`),
      resolvers: {
        Query: { top: () => posts[1], version: () => 'v1' },
        Post: { ...reference(posts), stats: ({ likes }) => ({ likes }) },
      },
    },
    links: {
      sdl: fed2(`
        type Query { linked(slug: String!): Post }
        type Post @key(fields: "id") {
          id: ID! slug: String! @override(from: "blog", label: "percent(0)") teaser: String! @override(from: "gone")
        }`),
      resolvers: {
        Query: { linked: (_, { slug }) => by(posts, 'slug', slug) },
        Post: { ...reference(posts), teaser: ({ title }) => `${title}…` },
      },
    },
  },
  monolith: {
    sdl: `
      type Query {
        posts: [Post!]! post(id: ID!): Post deep: [Post!]! shelter: Shelter! pets: [Pet!]! version: String!
        authors: [Author!]! top: Post linked(slug: String!): Post
      }
      type Post { id: ID! title: String! author: Author about: Animal stats: Stats! slug: String! views: Int! teaser: String! }
      type Stats { likes: Int! }
      type Shelter { id: ID! animals: [Animal!]! beds: Int! }
      type Author { id: ID! name: String! country: String! address: Address }
      type Address { city: String! zip: String! }
      interface Animal { id: ID! name: String! }
      type Dog implements Animal { id: ID! name: String! barks: Int! keeper: Author! }
      type Cat implements Animal { id: ID! name: String! lives: Int! keeper: Author! }
      union Pet = Dog | Cat`,
    resolvers: {
      Query: {
        posts: () => posts,
        post: (_, { id }) => by(posts, 'id', id),
        deep: () => posts,
        shelter: () => shelter,
        pets: () => animals,
        version: () => 'v1',
        authors: () => authors,
        top: () => posts[1],
        linked: (_, { slug }) => by(posts, 'slug', slug),
      },
      Post: {
        author: ({ author }) => by(authors, 'id', author),
        about: ({ about }) => by(animals, 'id', about),
        stats: ({ likes }) => ({ likes }),
        teaser: ({ title }) => `${title}…`,
      },
      Dog: { keeper: ({ keeper }) => by(authors, 'id', keeper) },
      Cat: { keeper: ({ keeper }) => by(authors, 'id', keeper) },
    },
  },
};

compared('provides, shareable, override', world, {
  'takes what is provided': '{ posts { title author { name } } }',
  'takes what is provided and fetches the rest': '{ posts { author { name country } } }',
  'fetches on another way what is provided on one':
    '{ post(id: "p1") { author { name } } posts { author { id name } } }',
  'takes what is provided inside an object': '{ deep { author { address { city } } } }',
  'fetches the rest of that object': '{ deep { author { address { zip city } name } } }',
  'takes what is provided on an interface': '{ shelter { animals { id name } } }',
  'takes what is provided on an interface and fetches of one type':
    '{ shelter { animals { name ... on Dog { barks } } beds } }',
  'takes what is provided on a union': '{ pets { ... on Dog { name } ... on Cat { lives } } }',
  'fetches of each member what is not provided':
    '{ pets { __typename ... on Dog { name barks } ... on Cat { name lives keeper { name } } } }',
  'reads a member through its interface': '{ pets { ... on Animal { id name } } }',
  'follows an interface to its implementations':
    '{ posts { about { name ... on Cat { lives keeper { address { zip } } } ... on Dog { keeper { country } } } } }',
  'reads a shared root field once': '{ version a: version __typename }',
  'reads a shared value type from either side': '{ top { stats { likes } title } post(id: "p2") { stats { likes } } }',
  'reads an overridden field from its new place': '{ posts { views title } top { views slug } }',
  'reads a field whose override is not yet switched on': '{ linked(slug: "on-cats") { slug title teaser } }',
  'reads a field that overrides a subgraph that there is not': '{ posts { teaser } }',
  'reads the same fields by all ways at once':
    '{ posts { id author { ...A } } deep { author { ...A } } authors { ...A } shelter { animals { ... on Dog { keeper { ...A } } } } } fragment A on Author { id name country address { city zip } }',
});
