/** Names are the client's: only so many of them, and none of them long, become time series. */
const MOST = 200;
const LONGEST = 100;

/** Bounds the operation names that metrics carry. */
export class OperationNames {
  private readonly known = new Set<string>();

  /**
   * The name as metrics show it: itself for the first 200, then `other`; `anonymous` without one.
   * @param admit whether a new name may take one of the places; what was refused may not, or junk would fill them
   */
  label(name: string | undefined, admit: boolean): string {
    if (!name) return 'anonymous';
    if (this.known.has(name)) return name;
    if (!admit || this.known.size >= MOST || name.length > LONGEST) return 'other';
    this.known.add(name);
    return name;
  }
}
