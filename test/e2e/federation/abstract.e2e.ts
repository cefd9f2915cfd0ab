import { compared } from './support.ts';
import { by, fed2, type Row, reference, type World } from './world.ts';

const media: Row[] = [
  { __typename: 'Film', id: 'm1', title: 'Heat', minutes: 170, maker: 'u1', stars: [5, 4], sequel: 'm2' },
  { __typename: 'Song', id: 'm2', title: 'Help', bpm: 95, maker: 'u2', stars: [3], sequel: null },
  { __typename: 'Film', id: 'm3', title: 'Brazil', minutes: 132, maker: 'u1', stars: [], sequel: 'm1' },
];
const users: Row[] = [
  { __typename: 'Person', id: 'u1', name: 'Ann', born: 1970 },
  { __typename: 'Firm', id: 'u2', name: 'EMI', seat: 'London' },
];
const stills: Row[] = [
  { __typename: 'Photo', id: 's1', of: 'm1', width: 100 },
  { __typename: 'Poster', id: 's2', of: 'm1', text: 'HEAT' },
];
const notes = [{ __typename: 'Memo', text: 'short' }];
const desks: Row[] = [
  { id: 'd1', papers: [notes[0], { __typename: 'Reminder', due: 3 }] },
  { id: 'd2', papers: [notes[0], { __typename: 'Entry', day: 5 }] },
];
const due = ({ due }: Row, { plus }: Row) => due + plus;
const typed = ({ __typename, id }: Row) => ({ __typename, id });
const find = (rows: Row[]) => (id: unknown) => by(rows, 'id', id);
const medium = find(media);
const user = find(users);
const mean = (stars: number[]) => (stars.length ? stars.reduce((sum, one) => sum + one, 0) / stars.length : null);

const world: World = {
  subgraphs: {
    media: {
      sdl: fed2(`
        type Query { media: [Media!]! medium(id: ID!): Media search(text: String!): [Found!]! node(id: ID!): Node found: Found }
        interface Node { id: ID! }
        interface Media implements Node @key(fields: "id") { id: ID! title(upper: Boolean): String! sequel: Media }
        type Film implements Media & Node @key(fields: "id") { id: ID! title(upper: Boolean): String! minutes: Int! maker: Owner! sequel: Media stills: [Still!]! }
        type Song implements Media & Node @key(fields: "id") { id: ID! title(upper: Boolean): String! bpm: Int! maker: Owner! sequel: Media }
        union Found = Film | Song | Person | Memo
        union Still = Photo | Poster
        interface Owner { id: ID! }
        type Person implements Owner @key(fields: "id") { id: ID! }
        type Firm implements Owner @key(fields: "id") { id: ID! }
        type Photo @key(fields: "id", resolvable: false) { id: ID! }
        type Poster @key(fields: "id", resolvable: false) { id: ID! }
        type Memo @shareable { text: String! }`),
      resolvers: {
        Query: {
          media: () => media,
          medium: (_, { id }) => medium(id),
          node: (_, { id }) => medium(id),
          search: (_, { text }) => [
            ...media.filter(({ title }) => title.includes(text)),
            typed(users[0] as Row),
            notes[0],
          ],
          found: () => null,
        },
        Media: reference(media) as never,
        ...Object.fromEntries(
          ['Film', 'Song'].map((type) => [
            type,
            {
              ...reference(media),
              title: ({ title }: Row, { upper }: Row) => (upper ? title.toUpperCase() : title),
              maker: ({ maker }: Row) => typed(user(maker) as Row),
              sequel: ({ sequel }: Row) => medium(sequel),
              ...(type === 'Film' && { stills: ({ id }: Row) => stills.filter((still) => still.of === id).map(typed) }),
            },
          ]),
        ),
      },
    },
    people: {
      sdl: fed2(`
        type Query { owners: [Owner!]! }
        interface Owner { id: ID! name: String! }
        type Person implements Owner @key(fields: "id") { id: ID! name: String! born: Int! best: Media }
        type Firm implements Owner @key(fields: "id") { id: ID! name: String! seat: String! }
        type Media @key(fields: "id") @interfaceObject { id: ID! }`),
      resolvers: {
        Query: { owners: () => users },
        Person: { ...reference(users), best: ({ id }) => media.find(({ maker }) => maker === id) },
        Firm: reference(users),
      },
    },
    stills: {
      sdl: fed2(`
        type Query { anyStill: Still pictures: [Picture!]! }
        union Still = Photo | Poster
        union Picture = Photo | Drawing
        type Photo @key(fields: "id") { id: ID! width: Int! shows: Media! }
        type Poster @key(fields: "id") { id: ID! text: String! shows: Media! }
        type Drawing { pencil: String! }
        type Media @key(fields: "id", resolvable: false) @interfaceObject { id: ID! }`),
      resolvers: {
        Query: { anyStill: () => stills[1], pictures: () => [stills[0], { __typename: 'Drawing', pencil: 'HB' }] },
        Photo: { ...reference(stills), shows: ({ of }) => ({ id: of }) },
        Poster: { ...reference(stills), shows: ({ of }) => ({ id: of }) },
      },
    },
    ratings: {
      sdl: fed2(`
        type Query { rated: [Media!]! best: Media }
        type Media @key(fields: "id") @interfaceObject {
          id: ID!
          title(upper: Boolean): String! @external
          stars: [Int!]!
          mean: Float
          blurb: String! @requires(fields: "title(upper: true)")
          reviews: [Review!]!
        }
        type Review { text: String! about: Media! }`),
      resolvers: {
        Query: { rated: () => media.map(({ id }) => ({ id })), best: () => ({ id: 'm1' }) },
        Media: {
          __resolveReference: (ref) => ref,
          stars: ({ id }) => medium(id)?.stars,
          mean: ({ id }) => mean(medium(id)?.stars),
          blurb: ({ title, id }) => `${title} (${medium(id)?.stars.length})`,
          reviews: ({ id }) => medium(id)?.stars.map((star: number) => ({ text: '*'.repeat(star), about: { id } })),
        },
      },
    },
    notes: {
      sdl: fed2(`
        type Query { note: Noted @shareable desk: Desk! }
        type Desk @key(fields: "id") { id: ID! papers: [Noted!]! @shareable }
        union Noted = Memo | Reminder
        type Memo @shareable { text: String! }
        type Reminder { due(plus: Int! = 0): Int! }`),
      resolvers: { Query: { note: () => notes[0], desk: () => desks[0] }, Desk: reference(desks), Reminder: { due } },
    },
    diary: {
      sdl: fed2(`
        type Query { note: Noted @shareable bureau: Desk! }
        type Desk @key(fields: "id") { id: ID! papers: [Noted!]! @shareable }
        union Noted = Memo | Entry
        type Memo @shareable { text: String! }
        type Entry { day: Int! }`),
      resolvers: { Query: { note: () => notes[0], bureau: () => desks[1] }, Desk: reference(desks) },
    },
  },
  monolith: {
    sdl: `
      type Query {
        media: [Media!]! medium(id: ID!): Media search(text: String!): [Found!]! node(id: ID!): Node found: Found
        owners: [Owner!]! anyStill: Still pictures: [Picture!]! rated: [Media!]! best: Media note: Noted
        desk: Desk! bureau: Desk!
      }
      type Desk { id: ID! papers: [Noted!]! }
      interface Node { id: ID! }
      interface Media implements Node {
        id: ID! title(upper: Boolean): String! sequel: Media stars: [Int!]! mean: Float blurb: String! reviews: [Review!]!
      }
      type Film implements Media & Node {
        id: ID! title(upper: Boolean): String! minutes: Int! maker: Owner! sequel: Media stills: [Still!]!
        stars: [Int!]! mean: Float blurb: String! reviews: [Review!]!
      }
      type Song implements Media & Node {
        id: ID! title(upper: Boolean): String! bpm: Int! maker: Owner! sequel: Media
        stars: [Int!]! mean: Float blurb: String! reviews: [Review!]!
      }
      union Found = Film | Song | Person | Memo
      union Still = Photo | Poster
      union Picture = Photo | Drawing
      interface Owner { id: ID! name: String! }
      type Person implements Owner { id: ID! name: String! born: Int! best: Media }
      type Firm implements Owner { id: ID! name: String! seat: String! }
      type Photo { id: ID! width: Int! shows: Media! }
      type Poster { id: ID! text: String! shows: Media! }
      type Drawing { pencil: String! }
      type Review { text: String! about: Media! }
      union Noted = Memo | Reminder | Entry
      type Memo { text: String! }
      type Reminder { due(plus: Int! = 0): Int! }
      type Entry { day: Int! }`,
    resolvers: {
      Query: {
        media: () => media,
        medium: (_, { id }) => medium(id),
        node: (_, { id }) => medium(id),
        search: (_, { text }) => [...media.filter(({ title }) => title.includes(text)), users[0], notes[0]],
        owners: () => users,
        anyStill: () => stills[1],
        pictures: () => [stills[0], { __typename: 'Drawing', pencil: 'HB' }],
        rated: () => media,
        best: () => media[0],
        note: () => notes[0],
        desk: () => desks[0],
        bureau: () => desks[1],
      },
      Reminder: { due },
      ...Object.fromEntries(
        ['Film', 'Song'].map((type) => [
          type,
          {
            title: ({ title }: Row, { upper }: Row) => (upper ? title.toUpperCase() : title),
            maker: ({ maker }: Row) => user(maker),
            sequel: ({ sequel }: Row) => medium(sequel),
            mean: ({ stars }: Row) => mean(stars),
            blurb: ({ title, stars }: Row) => `${title.toUpperCase()} (${stars.length})`,
            reviews: (row: Row) => row.stars.map((star: number) => ({ text: '*'.repeat(star), about: row })),
            ...(type === 'Film' && { stills: ({ id }: Row) => stills.filter((still) => still.of === id) }),
          },
        ]),
      ),
      Person: { best: ({ id }) => media.find(({ maker }) => maker === id) },
      Photo: { shows: ({ of }) => medium(of) },
      Poster: { shows: ({ of }) => medium(of) },
    },
  },
};

compared('interfaces, interface objects, unions', world, {
  'reads an interface': '{ media { id title sequel { title } } }',
  'reads fields of some implementations': '{ media { title ... on Film { minutes } ... on Song { bpm } } }',
  'reads through an interface of the interface':
    '{ node(id: "m1") { __typename id ... on Media { title ... on Film { minutes } } } }',
  'adds to an interface from an interface object': '{ media { title stars mean } }',
  'adds to one implementation from an interface object': '{ media { ... on Film { stars } } }',
  'reads an interface object alone': '{ rated { stars mean } best { id } }',
  'asks who an interface object really is': '{ rated { __typename } best { t: __typename stars } }',
  'reads what the interface has of an interface object': '{ rated { title sequel { title mean } } }',
  'reads of an interface object only what one implementation has':
    '{ rated { stars ... on Film { minutes stars } ... on Song { bpm } } }',
  'gives an empty object where no fragment fits': '{ rated { ... on Song { mean } } best { ... on Song { bpm } } }',
  'requires a field of the interface with an argument': '{ media { blurb title } rated { blurb } }',
  'comes back to an interface object from a value':
    '{ rated { reviews { text about { title ... on Song { bpm } } } } }',
  'goes from an interface object that cannot be resolved':
    '{ anyStill { ... on Poster { text shows { title mean __typename } } } }',
  'refers to an interface object from an entity':
    '{ owners { name ... on Person { born best { __typename title stars ... on Film { minutes } } } } }',
  'fetches the rest of an interface of entities':
    '{ media { ... on Film { maker { id name ... on Person { born } ... on Firm { seat } } } ... on Song { maker { name } } } }',
  'reads a union of entities':
    '{ medium(id: "m1") { ... on Film { stills { __typename ... on Photo { width } ... on Poster { text } } } } }',
  'reads a union of entities and values':
    '{ search(text: "e") { __typename ... on Film { minutes mean } ... on Song { bpm } ... on Person { name born } ... on Memo { text } } }',
  'reads a union through an interface':
    '{ search(text: "H") { ... on Node { id } ... on Media { title stars } ... on Owner { name } } }',
  'reads a union that is null': '{ found { ... on Memo { text } ... on Film { title } } }',
  'reads a union whose members two subgraphs know each in part':
    '{ note { __typename ... on Memo { text } ... on Reminder { due } ... on Entry { day } } }',
  'reads of such a union what only one knows': '{ note { ... on Entry { day } } n: note { ... on Reminder { due } } }',
  'reads of a list of such a union what only the subgraph in use knows':
    '{ desk { papers { __typename ... on Memo { text } ... on Reminder { due } ... on Entry { day } } } bureau { papers { ... on Reminder { due } ... on Entry { on: day } } } }',
  'reads that with variables': [
    'query ($plus: Int!, $more: Boolean!) { desk { papers { ... on Memo { text } ... on Reminder @include(if: $more) { then: due(plus: $plus) due } } } }',
    { plus: 4, more: true },
  ],
  'reads one entity in two unions':
    '{ anyStill { ... on Poster { id } } pictures { __typename ... on Photo { width shows { title } } ... on Drawing { pencil } } }',
  'knows the type of everything':
    '{ __typename media { __typename sequel { __typename } ... on Film { __typename maker { __typename } stills { __typename } } } search(text: "") { t: __typename } note { __typename } }',
  'reads one field of two types under one name':
    '{ media { ... on Film { number: minutes } ... on Song { number: bpm } } }',
  'reads one field with two arguments in two types':
    '{ media { ... on Film { title(upper: true) } ... on Song { title(upper: false) } } }',
  'reads an interface object through a wider interface':
    '{ rated { ... on Node { id } } best { ... on Node { __typename } } }',
  'reads an interface object through a union': '{ rated { stars ... on Found { __typename ... on Song { bpm } } } }',
  'requires under a condition on one implementation': [
    'query ($yes: Boolean!, $no: Boolean!) { rated { ... on Song @include(if: $yes) { blurb } ... on Film @include(if: $no) { blurb } } }',
    { yes: true, no: false },
  ],
  'reads nested fragments of wider and narrower types': `
    { media { ...M ... on Node { ... on Film { ...F } } } }
    fragment M on Media { ... on Media { id ... on Song { mean } } }
    fragment F on Film { sequel { ...M ... on Song { maker { id } } } }`,
});
