/** The longest time a timer of Node can wait, ms. */
const LONGEST = 2 ** 31 - 1;

/**
 * Calls back once when the clock reaches this time, however far away. It keeps no process alive.
 * @param time ms since 1970; at Infinity nothing ever happens
 * @returns a function that calls it off
 */
export function at(time: number, callback: () => void): () => void {
  if (time === Number.POSITIVE_INFINITY) return () => {};
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = time - Date.now();
    timer = left > LONGEST ? setTimeout(wait, LONGEST) : setTimeout(callback, Math.max(0, left));
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}
