const LONGEST = 100;

/** Values that come from outside, bounded in number and length, since each becomes a time series. */
export class BoundedLabels {
  private readonly known = new Set<string>();

  /** @param most how many values are told apart; all further ones are `other` */
  constructor(private readonly most: number) {}

  /** @param admit whether a new value may take one of the places */
  label(value: string, admit = true): string {
    if (this.known.has(value)) return value;
    if (!admit || this.known.size >= this.most || value.length > LONGEST) return 'other';
    this.known.add(value);
    return value;
  }
}
