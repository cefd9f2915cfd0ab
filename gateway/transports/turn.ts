/**
 * Writing to a socket wakes who waits at its other end, and costs most of what an answer costs. What is written in one turn of the
 * event loop is therefore written together at its end: whoever wakes finds more than one thing to do. It takes no time that
 * anybody waits for: the turn ends when nothing more has come.
 */
export function atEndOfTurn(write: () => void): void {
  if (queue.push(write) === 1) setImmediate(flush);
}

let queue: (() => void)[] = [];

function flush(): void {
  const writes = queue;
  queue = [];
  for (const write of writes) write();
}
