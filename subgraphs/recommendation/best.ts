/** Keeps the `most` best items offered in ascending order; of equal scores the first. A heap with the least at its root. */
export class Best {
  private readonly scores: Float32Array;
  private readonly items: Int32Array;
  private size = 0;

  constructor(private readonly most: number) {
    this.scores = new Float32Array(most);
    this.items = new Int32Array(most);
  }

  /** What a score must exceed to be kept. */
  get least(): number {
    if (this.most === 0) return Number.POSITIVE_INFINITY;
    return this.size < this.most ? Number.NEGATIVE_INFINITY : (this.scores[0] as number);
  }

  /** @param score a float32 above `least` */
  add(item: number, score: number): void {
    if (this.size < this.most) this.rise(this.size++, item, score);
    else this.sink(item, score);
  }

  kept(): Int32Array {
    return this.items.subarray(0, this.size);
  }

  /** Whether what is at `place` goes before: it is worse, or as good and came later. */
  private worse(place: number, item: number, score: number): boolean {
    const other = this.scores[place] as number;
    return other < score || (other === score && (this.items[place] as number) > item);
  }

  private rise(from: number, item: number, score: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.worse(parent, item, score)) break;
      this.move(parent, place);
      place = parent;
    }
    this.put(place, item, score);
  }

  /** In place of the root. */
  private sink(item: number, score: number): void {
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.size) break;
      const right = child + 1;
      if (right < this.size && this.worse(right, this.items[child] as number, this.scores[child] as number))
        child = right;
      if (!this.worse(child, item, score)) break;
      this.move(child, place);
      place = child;
    }
    this.put(place, item, score);
  }

  private move(from: number, to: number): void {
    this.put(to, this.items[from] as number, this.scores[from] as number);
  }

  private put(place: number, item: number, score: number): void {
    this.items[place] = item;
    this.scores[place] = score;
  }
}
