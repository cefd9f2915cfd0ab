/**
 * Answers over IPC what the parent asks of this process; questions that it has no handler for are left to another `serve`.
 * The process ends with its parent.
 */
export function serve(handlers: Record<string, (argument: never) => unknown>): void {
  process.on('message', async ({ id, what, argument }: { id: number; what: string; argument: never }) => {
    const handler = handlers[what];
    if (!handler) return;
    try {
      process.send?.({ id, value: await handler(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  process.once('disconnect', () => process.exit(0));
}
