/**
 * Arrays of one number per item, for the time of one synchronous computation: a large catalogue needs megabytes of them for each
 * request, and to throw them away each time costs more than to fill them with zeros.
 */
export class Scratch {
  private readonly arrays: Float64Array[] = [];
  private taken = 0;

  constructor(private readonly length: number) {}

  /** What was taken before is free again. */
  begin(): void {
    this.taken = 0;
  }

  zeros(): Float64Array {
    const array = this.arrays[this.taken] ?? new Float64Array(this.length);
    this.arrays[this.taken++] = array;
    return array.fill(0);
  }
}
