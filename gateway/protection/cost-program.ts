export type Variables = Readonly<Record<string, unknown>>;

/** The cost of an operation with these coerced variables; at most Number.MAX_SAFE_INTEGER. */
export type CostFunction = (variables: Variables) => number;

/** A number known when the operation is compiled, or the result of a step that needs the variables. */
export type Term = number | { readonly step: number };

const saturated = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER);

/**
 * Arithmetic that happens at once where all is known and becomes a step where it is not. Every step runs once per call
 * however often its result is used, so that an operation folded together by fragments costs what its text costs.
 */
export class CostProgram {
  private readonly steps: ((results: Float64Array, variables: Variables) => number)[] = [];

  read(value: CostFunction): Term {
    return this.add((_, variables) => value(variables));
  }

  sum(terms: readonly Term[]): Term {
    const { known, steps } = split(terms);
    const fixed = known.reduce((a, b) => saturated(a + b), 0);
    if (steps.length === 0) return fixed;
    return this.add((results) => steps.reduce((total, step) => total + (results[step] as number), fixed));
  }

  max(terms: readonly Term[]): Term {
    const { known, steps } = split(terms);
    const fixed = Math.max(0, ...known);
    if (steps.length === 0) return fixed;
    return this.add((results) => steps.reduce((most, step) => Math.max(most, results[step] as number), fixed));
  }

  product(a: Term, b: Term): Term {
    if (typeof a !== 'number' && typeof b === 'number') return this.product(b, a);
    if (typeof b === 'number') return saturated((a as number) * b);
    if (a === 0 || a === 1) return a === 0 ? 0 : b;
    if (typeof a === 'number') return this.add((results) => a * (results[b.step] as number));
    return this.add((results) => (results[a.step] as number) * (results[b.step] as number));
  }

  /** What computes `result` from variables. */
  compile(result: Term): CostFunction {
    if (typeof result === 'number') return () => Math.max(0, result);
    const { steps } = this;
    const results = new Float64Array(steps.length);
    return (variables) => {
      for (let i = 0; i < steps.length; i++)
        results[i] = saturated((steps[i] as (typeof steps)[0])(results, variables));
      return Math.max(0, results[result.step] as number);
    };
  }

  private add(step: (results: Float64Array, variables: Variables) => number): Term {
    return { step: this.steps.push(step) - 1 };
  }
}

function split(terms: readonly Term[]): { known: number[]; steps: number[] } {
  const known: number[] = [];
  const steps: number[] = [];
  for (const term of terms) {
    if (typeof term === 'number') known.push(term);
    else steps.push(term.step);
  }
  return { known, steps };
}
