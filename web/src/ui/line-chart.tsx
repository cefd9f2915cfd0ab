import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { shortDay } from './formats.ts';
import styles from './line-chart.module.css';

export interface Line {
  label: string;
  values: readonly (number | null)[];
  /** A colour of the page, as a custom property. */
  color: string;
  dash?: number[];
  width?: number;
}

interface LineChartProps {
  /** Says what there is to see, to those who do not. */
  label: string;
  /** Days, such as 2026-11-24, oldest first. */
  dates: readonly string[];
  lines: readonly Line[];
  /** Places of two lines with what lies between them filled. */
  band?: [upper: number, lower: number];
  format: (value: number) => string;
}

const HEIGHT = 340;

/** Lines over days. Drawn anew when the width, the colours or what is drawn changes. */
export function LineChart({ label, dates, lines, band, format }: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let plot: uPlot | undefined;
    const draw = () => {
      plot?.destroy();
      const style = getComputedStyle(element);
      const color = (name: string) => resolved(element, style.getPropertyValue(name));
      const axis = { stroke: color('--ink-soft'), font: `12px ${style.fontFamily}`, ticks: { show: false } };
      const grid = { stroke: color('--line'), width: 1 };
      plot = new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
          axes: [
            {
              ...axis,
              grid: { show: false },
              values: (_, splits) => splits.map((seconds) => shortDay(seconds * 1000)),
            },
            { ...axis, grid, size: 56, values: (_, splits) => splits.map(format) },
          ],
          scales: { y: { range: (_, __, most) => [0, most * 1.08 || 1] } },
          series: [
            { value: (_, seconds) => (seconds === null ? '–' : shortDay(seconds * 1000)) },
            ...lines.map((line) => ({
              label: line.label,
              stroke: color(line.color),
              width: line.width ?? 2,
              ...(line.dash ? { dash: line.dash } : {}),
              points: { show: false },
              value: (_: uPlot, value: number | null) => (value === null ? '–' : format(value)),
            })),
          ],
          ...(band ? { bands: [{ series: [band[0] + 1, band[1] + 1], fill: color('--band') }] } : {}),
          cursor: { drag: { x: false, y: false } },
        },
        [dates.map((date) => Date.parse(date) / 1000), ...lines.map(({ values }) => [...values])],
        element,
      );
    };
    draw();
    const size = new ResizeObserver(() => {
      if (plot && plot.width !== element.clientWidth) plot.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    size.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    scheme.addEventListener('change', draw);
    return () => {
      size.disconnect();
      theme.disconnect();
      scheme.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [dates, lines, band, format]);
  return <div ref={box} className={styles.chart} role="img" aria-label={label} />;
}

/** A canvas knows neither custom properties nor light-dark(). */
function resolved(element: HTMLElement, value: string): string {
  const probe = document.createElement('i');
  probe.style.color = value;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
