/** The reader's own way to write numbers, money and dates. */
const locale = navigator.languages;

const currencies = new Map<string, Intl.NumberFormat>();

export function money({ amount, currency }: { amount: number; currency: string }): string {
  let format = currencies.get(currency);
  if (!format) {
    // Whole amounts without cents, as price tags have them.
    format = new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      trailingZeroDisplay: 'stripIfInteger',
    });
    currencies.set(currency, format);
  }
  return format.format(amount);
}

const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const precise = new Intl.NumberFormat(locale, { maximumFractionDigits: 4 });
const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
const instant = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const calendarDay = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });

const dayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' });

export const count = (value: number): string => plain.format(value);
export const metric = (value: number): string => precise.format(value);
export const percent = (value: number): string => share.format(value);
export const dateTime = (iso: string): string => instant.format(new Date(iso));
/** Without the year, where it is plain. @param ms since 1970 */
export const shortDay = (ms: number): string => dayOfYear.format(ms);
/** @param date such as 2026-11-24, which is the same day everywhere */
export const day = (date: string): string => calendarDay.format(new Date(date));
