import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';

/** Whether an object of a named type meets a type condition, remembered per pair. */
export class Types {
  private readonly known = new Map<string, boolean>();
  private readonly objects: ReadonlySet<string>;

  /** @param schema of the whole supergraph: type names of subgraphs may be hidden from the API */
  constructor(private readonly schema: GraphQLSchema) {
    this.objects = new Set(Object.values(schema.getTypeMap()).filter(isObjectType).map(String));
  }

  isObject(name: string): boolean {
    return this.objects.has(name);
  }

  /** An interface is a `typename` too: that is what a subgraph answers which knows it only as an interface object. */
  meets(typename: string, condition: string): boolean {
    if (typename === condition) return true;
    const pair = `${typename} ${condition}`;
    let answer = this.known.get(pair);
    if (answer === undefined) {
      const type = this.schema.getType(typename);
      const wanted = this.schema.getType(condition);
      answer =
        isAbstractType(wanted) && (isObjectType(type) || isInterfaceType(type)) && this.schema.isSubType(wanted, type);
      // Type names come from subgraphs: what is no type is not remembered, or they could fill the memory.
      if (type && wanted) this.known.set(pair, answer);
    }
    return answer;
  }
}
