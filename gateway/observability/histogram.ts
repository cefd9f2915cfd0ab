import type { Metric, Registry } from 'prom-client';

interface Series {
  labels: Record<string, string>;
  /** Observations by the bucket they fall in; the last is beyond all. */
  counts: Float64Array;
  sum: { value: number };
}

/**
 * A histogram of prom-client's registry, counted by hand: prom-client looks its series up by all labels and builds objects at each
 * observation, which for the four of an ordinary request costs as much as a fetch within this process.
 */
export class Histogram {
  private readonly series = new Map<string, Series>();

  constructor(
    private readonly name: string,
    private readonly help: string,
    private readonly labelNames: readonly string[],
    private readonly buckets: readonly number[],
    registry: Registry,
  ) {
    registry.registerMetric({ name, get: async () => this.read() } as unknown as Metric);
  }

  /** @param values of the labels, in their order */
  observe(value: number, ...values: string[]): void {
    const { counts, sum } = this.of(values);
    const { buckets } = this;
    let index = 0;
    while (index < buckets.length && value > (buckets[index] as number)) index++;
    (counts[index] as number)++;
    sum.value += value;
  }

  private of(values: readonly string[]): Series {
    const key = values.length === 1 ? (values[0] as string) : values.join(' ');
    let series = this.series.get(key);
    if (!series) {
      const labels = Object.fromEntries(this.labelNames.map((label, index) => [label, values[index] ?? '']));
      series = { labels, counts: new Float64Array(this.buckets.length + 1), sum: { value: 0 } };
      this.series.set(key, series);
    }
    return series;
  }

  private read() {
    const { name, help } = this;
    const values = [...this.series.values()].flatMap(({ labels, counts, sum }) => {
      let below = 0;
      const buckets = [...this.buckets, '+Inf'].map((le, index) => {
        below += counts[index] as number;
        return { labels: { le, ...labels }, value: below, metricName: `${name}_bucket` };
      });
      return [
        ...buckets,
        { labels, value: sum.value, metricName: `${name}_sum` },
        { labels, value: below, metricName: `${name}_count` },
      ];
    });
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  }
}
