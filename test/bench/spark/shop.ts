/** The shop of every size: the more events, the more users; products and days stay, as they do where a shop grows. */
export const PRODUCTS = 1_000;
const EVENTS_PER_USER = 50;
/** Fixed, so that every run has the same rows. */
export const END_DATE = '2026-10-31';
export const AS_OF = '2026-11-15T00:00:00+00:00';

export const usersOf = (events: number): number => Math.ceil(events / EVENTS_PER_USER);
