/** How far a feature of a model version, or its predictions, had moved on a day. */
export interface Drift {
  /** `2026-11-24`, in UTC. */
  day: string;
  feature: string;
  /** Population stability index: 0 is as at training. */
  psi: number;
}

/** Models that are looked at: each has a ml/<model>/drift.py. */
export const WATCHED_MODELS = ['recommender', 'forecaster'] as const;

/** What has moved beyond the threshold on the newest day, the farthest first. `drift` has the newest day first. */
export function moved(drift: readonly Drift[], threshold: number): Drift[] {
  const day = drift[0]?.day;
  return drift.filter((one) => one.day === day && one.psi > threshold).sort((a, b) => b.psi - a.psi);
}

/** What is wrong with a version whose features have moved, for a person; null when nothing is. */
export function driftWarning(drift: readonly Drift[], threshold: number): string | null {
  const far = moved(drift, threshold);
  if (far.length === 0) return null;
  const named = far.slice(0, 3).map(({ feature, psi }) => `${feature} ${psi.toFixed(2)}`);
  const more = far.length > 3 ? ` and ${far.length - 3} more` : '';
  return `The data have moved since it was trained: PSI of ${named.join(', ')}${more} on ${far[0]?.day}, above ${threshold}.`;
}
