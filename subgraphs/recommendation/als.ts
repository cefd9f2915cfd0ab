import type { Tables } from './bundle.ts';
import type { Scratch } from './scratch.ts';

// Implicit ALS as `ml/recommender/als.py` defines it. Arrays are indexed in bounds throughout: `as number` says so.

/**
 * u · V_j for every item j, where u solves (gram + regularisation Σw I + Σ w V_h V_hᵀ) u = Σ w V_h over the history.
 * @param regularisation for each unit of weight
 * @returns of `scratch`
 */
export function alsScores(
  { factors, factorCount, factorGram }: Tables,
  history: readonly { item: number; w: number }[],
  regularisation: number,
  scratch: Scratch,
): Float64Array {
  const matrix = Float64Array.from(factorGram);
  const vector = new Float64Array(factorCount);
  for (const { item, w } of history) {
    const start = item * factorCount;
    for (let row = 0; row < factorCount; row++) {
      const value = w * (factors[start + row] as number);
      vector[row] = (vector[row] as number) + value;
      const at = row * factorCount;
      for (let column = 0; column <= row; column++)
        matrix[at + column] = (matrix[at + column] as number) + value * (factors[start + column] as number);
      matrix[at + row] = (matrix[at + row] as number) + regularisation * w;
    }
  }
  solve(matrix, vector);
  const scores = scratch.zeros();
  if (history.length === 0) return scores;
  for (let item = 0, at = 0; item < scores.length; item++) {
    let sum = 0;
    for (let d = 0; d < factorCount; d++) sum += (vector[d] as number) * (factors[at++] as number);
    scores[item] = sum;
  }
  return scores;
}

/** Leaves the solution in `vector`, by Cholesky in the lower triangle of `matrix`, which is positive definite. */
function solve(matrix: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column] as number;
      for (let k = 0; k < column; k++)
        sum -= (matrix[row * size + k] as number) * (matrix[column * size + k] as number);
      matrix[row * size + column] = row === column ? Math.sqrt(sum) : sum / (matrix[column * size + column] as number);
    }
  }
  for (let row = 0; row < size; row++) {
    let sum = vector[row] as number;
    for (let k = 0; k < row; k++) sum -= (matrix[row * size + k] as number) * (vector[k] as number);
    vector[row] = sum / (matrix[row * size + row] as number);
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = vector[row] as number;
    for (let k = row + 1; k < size; k++) sum -= (matrix[k * size + row] as number) * (vector[k] as number);
    vector[row] = sum / (matrix[row * size + row] as number);
  }
}
