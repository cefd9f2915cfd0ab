import type { Caller } from '../answer.types.ts';
import type { Metrics, OperationKind } from './metrics.ts';
import type { Ending } from './outcome.ts';
import type { RequestLog } from './request-log.ts';

/** Tells metrics, the trace and the log of one request, once it has ended. */
export class Recorder {
  /** As estimated before the run; undefined when it did not come to that. */
  cost: number | undefined;
  private readonly started = performance.now();
  private operation: { kind: OperationKind; name: string | undefined } | undefined;

  constructor(
    private readonly metrics: Metrics | null,
    private readonly requestLog: RequestLog | null,
    private readonly caller: Pick<Caller, 'requestId' | 'trace'>,
  ) {}

  found(operation: { kind: OperationKind; name: string | undefined }): void {
    this.operation = operation;
    this.caller.trace?.operation(operation.kind, operation.name);
  }

  end(ending: Ending): void {
    const { operation, cost } = this;
    const { requestId, trace } = this.caller;
    const ms = performance.now() - this.started;
    this.metrics?.request(operation?.name, operation?.kind, ending.outcome, ms);
    if (ending.outcome === 'refused') for (const code of ending.codes) this.metrics?.refused(code);
    trace?.end(ending);
    this.requestLog?.({ ...ending, requestId, operation: operation?.name, kind: operation?.kind, ms, cost });
  }
}
