import {
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Identity } from '../../subgraphs/kit/auth.ts';
import type { AccessRule, AccessRules } from '../graph/supergraph.ts';

/** Whether an asker may see a field of an object or abstract type. */
export type Denies = (type: string, field: string) => boolean;

export const DENIES_NOTHING: Denies = () => false;

/** Whether the rule lets this identity through. */
function allows(rule: AccessRule, identity: Identity | null): boolean {
  if (!identity) return false;
  const { scopes, policies = [] } = identity;
  return holds(rule.scopes, scopes) && holds(rule.policies, policies);
}

const holds = (alternatives: readonly (readonly string[])[], given: readonly string[]): boolean =>
  alternatives.length === 0 || alternatives.some((all) => all.every((one) => given.includes(one)));

/** The access rules of one supergraph. Enforcing them is planning without the denied fields and shaping with nulls for them. */
export class Access {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly rules: AccessRules,
  ) {}

  /** All coordinates with a rule. */
  get coordinates(): string[] {
    return [...this.rules.keys()];
  }

  /** The coordinates with a rule that a document touches, itself or by the types that may come back. Empty: it is open to all. */
  touched(document: DocumentNode): string[] {
    if (this.rules.size === 0) return [];
    const touched = new Set<string>();
    const typeInfo = new TypeInfo(this.schema);
    visit(
      document,
      visitWithTypeInfo(typeInfo, {
        Field: () => {
          const parent = typeInfo.getParentType();
          const field = typeInfo.getFieldDef();
          if (!parent || !field) return;
          for (const type of this.parents(parent)) {
            for (const coordinate of this.ruled(type, field.name)) touched.add(coordinate);
          }
        },
      }),
    );
    return [...touched];
  }

  /** Which of the coordinates this identity may not see, as a key: equal keys see the same. */
  deniedKey(touched: readonly string[], identity: Identity | null): string {
    let key = '';
    for (const coordinate of touched) {
      const rule = this.rules.get(coordinate);
      if (rule && !allows(rule, identity)) key += `${coordinate} `;
    }
    return key;
  }

  /** The decision for those who have this key. */
  denies(deniedKey: string): Denies {
    if (deniedKey === '') return DENIES_NOTHING;
    const denied = new Set(deniedKey.trim().split(' '));
    return (type, field) => this.ruled(type, field).some((coordinate) => denied.has(coordinate));
  }

  /**
   * Composition allows rules on object types only and copies those of any member to an interface: on the members they are exact.
   */
  private parents(type: GraphQLNamedType): string[] {
    const members = isAbstractType(type) ? this.schema.getPossibleTypes(type) : [];
    return members.length > 0 ? members.map(({ name }) => name) : [type.name];
  }

  private ruled(type: string, field: string): string[] {
    // What an object is called tells nothing that its place does not.
    if (field === '__typename') return [];
    const parent = this.schema.getType(type);
    const definition = parent && 'getFields' in parent ? parent.getFields()[field] : undefined;
    if (!definition) return this.rules.has(type) ? [type] : [];
    const returned = getNamedType(definition.type as GraphQLOutputType).name;
    return [type, `${type}.${field}`, returned].filter((coordinate) => this.rules.has(coordinate));
  }
}
