import { shop } from './shop.ts';
import { compared } from './support.ts';

compared('operations', shop, {
  'reads everything of a product':
    '{ product(id: "p1") { __typename id name price { amount currency } size { width } tags reviews { stars } mean badge sticker fans { id } offer ... on Book { isbn pages author { name } freight depots { city area } } } }',
  'reads the same of all products':
    '{ products(first: 9) { id badge offer sticker mean ... on Gadget { freight(express: true) grams grid } ... on Book { freight } } }',
  'keeps aliases apart on every level':
    '{ a: products(first: 1) { id: name name: id x: __typename } b: products(first: 2) { name: badge badge: offer offer: name } }',
  'keeps what arguments conflict with apart':
    '{ product(id: "p3") { price(currency: JPY) { amount } usd: price(currency: USD) { a: amount } badge offer tags(first: 9) sticker ... on Gadget { freight } } }',
  'skips and includes by variables on every level': [
    'query ($yes: Boolean!, $no: Boolean = false) { products @include(if: $yes) { id @skip(if: $yes) name @skip(if: $no) ... @include(if: $no) { badge } ... on Book @include(if: $yes) { pages author @skip(if: $no) { name @include(if: $yes) } } ...F @skip(if: $no) } best @skip(if: $yes) { id } me @include(if: $no) { id } } fragment F on Product { mean @include(if: $yes) reviews @include(if: $no) { id } }',
    { yes: true },
  ],
  'leaves out everything': [
    'query ($no: Boolean!) { products @include(if: $no) { id } me @skip(if: true) { id } }',
    { no: false },
  ],
  'leaves objects empty': [
    'query ($no: Boolean!) { me { id @include(if: $no) friends { name @skip(if: true) } } }',
    { no: false },
  ],
  'leaves an object empty whose fields are all left out':
    '{ found { __typename @skip(if: true) } me { ... @include(if: false) { id } } topics { picks { stars @skip(if: true) } } }',
  'leaves objects empty where no fragment can fit':
    '{ products { reviews { ... on Node { ... on Found { __typename } } } } }',
  'skips a root field for good': '{ version @skip(if: true) }',
  'knows the type of what an interface object adds to':
    '{ search(text: "") { ... on Book { __typename mean } ... on Gadget { mean t: __typename } } }',
  'requires for one implementation beside a field of all':
    '{ products(first: 9) { mean badge ... on Gadget { sticker } } shelves { badge ... on Book { offer } } }',
  'requires other fields for other implementations':
    '{ search(text: "") { ... on Book { offer sticker } ... on Gadget { badge } } }',
  'reports no error of a field that was asked of another type':
    '{ products { badge ... on Gadget { reviews { audit } } } }',
  'skips by two conditions at once': [
    'query ($a: Boolean!, $b: Boolean!) { me { id @skip(if: $a) @include(if: $b) greeting @skip(if: $b) @include(if: $a) name @include(if: $b) name @include(if: $a) } }',
    { a: false, b: true },
  ],
  'merges one field in many fragments':
    '{ me { ...A ...B likes { name ... on Book { pages } } } } fragment A on User { likes { id ...C } friends { name } } fragment B on User { likes { badge ...C } friends { email } } fragment C on Product { mean }',
  'uses defaults of arguments, variables and neither': [
    'query ($first: Int = 1, $currency: Currency! = USD, $none: Int) { a: products { id } b: products(first: $first) { price(currency: $currency) { amount } } c: products(first: $none) { id } d: products(first: null) { id } }',
    {},
  ],
  'gives a variable to two subgraphs': [
    'query ($first: Int, $stars: Int) { users(first: $first) { reviews(minStars: $stars, first: $first) { stars } friends(first: $first) { name } } }',
    { first: 2, stars: 4 },
  ],
  'sends an input object with variables in it': [
    'query ($amount: Int!, $kind: Kind!) { products(filter: { kinds: [$kind, BOOK], maxPrice: { amount: $amount, currency: USD } }, first: 9) { name badge } }',
    { amount: 100, kind: 'GADGET' },
  ],
  'gives types wherever they are asked':
    '{ __typename t: __typename me { __typename likes { __typename x: __typename reviews { __typename media { __typename } author { t: __typename } } } } depots { __typename goods { __typename } } }',
  'reads unions known in part':
    '{ found { __typename ... on Photo { width } ... on Clip { seconds } ... on Scan { dots } } review(id: "r3") { media { ... on File { url } ... on Scan { dots } ... on Photo { width } } } }',
  'reads through shared interfaces':
    '{ node(id: "a1") { id ... on Author { name books { badge } } } n: node(id: "p3") { ... on Product { mean offer } ... on Book { pages } } }',
  'walks lists of lists of an interface': '{ shelves { name badge ... on Book { depots { area city } } } }',
  'goes around in circles':
    '{ me { likes { fans { likes { fans { greeting } } reviews { author { name } product { offer } } } } } }',
  'reads a union whose members have other keys':
    '{ depots { goods { ... on Book { name freight } ... on Gadget { grams offer } } } }',
  'reads a union whose members have other keys, through their interface':
    '{ depots { goods { ... on Product { name } ... on Book { freight isbn } ... on Gadget { grams id } } } }',
  'reads many roots of all subgraphs':
    '{ version best { name } me { greeting } topics { name picks { stars product { name badge } } owner { name } } depots { area goods { ... on Book { name freight } ... on Gadget { grams offer } } } latest { text } search(text: "n") { ... on Author { born } ... on Product { name } } }',
  'runs mutations one after the other':
    'mutation { a: rename(id: "u1", name: "x") { name greeting } b: rename(id: "u2", name: "y") { id name reviews { stars } } }',
  "runs one operation of its fragments' names": 'query Q { me { ...me } } fragment me on User { me: name }',
  'reports errors deep in lists': {
    query: '{ users(first: 9) { likes { id fragile reviews { audit } } fragile } }',
    errors: 4,
  },
  'refuses what the schema has not': { query: '{ me { vip } _service { sdl } }', errors: 2 },
  'refuses entities from outside': { query: '{ _entities(representations: []) { __typename } }', errors: 1 },
});
