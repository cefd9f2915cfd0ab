/**
 * Every error a client can see, in one place: code → HTTP status when the whole request fails, whether trying again
 * may help, and how loudly the operator is told.
 */
export const ERROR_CODES = {
  BAD_USER_INPUT: { status: 400, retryable: false, level: 'debug' },
  BAD_REQUEST: { status: 400, retryable: false, level: 'debug' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, level: 'debug' },
  NOT_ACCEPTABLE: { status: 406, retryable: false, level: 'debug' },
  UNAUTHENTICATED: { status: 401, retryable: false, level: 'debug' },
  FORBIDDEN: { status: 403, retryable: false, level: 'debug' },
  NOT_FOUND: { status: 404, retryable: false, level: 'debug' },
  BODY_TOO_LARGE: { status: 413, retryable: false, level: 'debug' },
  CONFLICT: { status: 409, retryable: false, level: 'debug' },
  GRANULARITY_UNAVAILABLE: { status: 409, retryable: false, level: 'debug' },
  GATE_NOT_PASSED: { status: 409, retryable: false, level: 'info' },
  MODEL_NOT_READY: { status: 503, retryable: true, level: 'info' },
  DATABASE_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  VECTORS_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  CHAT_MODEL_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  SUMMARY_MODEL_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  ANSWER_BLOCKED: { status: 422, retryable: false, level: 'info' },
  TOO_BUSY: { status: 503, retryable: true, level: 'info' },
  CLUSTER_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  REGISTRY_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  ISSUER_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  SUBGRAPH_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  SUBGRAPH_TIMEOUT: { status: 504, retryable: true, level: 'error' },
  RATE_LIMITED: { status: 429, retryable: true, level: 'debug' },
  QUERY_TOO_LARGE: { status: 400, retryable: false, level: 'debug' },
  OPERATION_NOT_PLANNABLE: { status: 400, retryable: false, level: 'info' },
  DOCUMENT_NOT_TRUSTED: { status: 400, retryable: false, level: 'debug' },
  CSRF_BLOCKED: { status: 403, retryable: false, level: 'debug' },
  PERSISTED_QUERY_NOT_FOUND: { status: 200, retryable: true, level: 'debug' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, level: 'debug' },
  TOO_MANY_SUBSCRIPTIONS: { status: 429, retryable: true, level: 'info' },
  SLOW_CONSUMER: { status: 503, retryable: true, level: 'info' },
  TOKEN_EXPIRED: { status: 401, retryable: false, level: 'debug' },
  SHUTTING_DOWN: { status: 503, retryable: true, level: 'debug' },
  STORAGE_UNAVAILABLE: { status: 503, retryable: true, level: 'error' },
  STORAGE_FULL: { status: 507, retryable: true, level: 'error' },
  LAKE_UNREADABLE: { status: 500, retryable: false, level: 'error' },
  INTERNAL_SERVER_ERROR: { status: 500, retryable: false, level: 'error' },
} as const satisfies Record<string, { status: number; retryable: boolean; level: 'debug' | 'info' | 'error' }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An error meant for a person. `message` goes to the client as it is: no stack, SQL, path, URL or secret in it.
 * What the operator needs beyond it goes into `cause`, which is logged and never sent.
 */
export class HashiraError extends Error {
  override readonly name = 'HashiraError';
  /** Read by graphql-js, which copies it to the GraphQL error. */
  readonly extensions: Record<string, unknown> & { code: ErrorCode };

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: { cause?: unknown; extensions?: Record<string, unknown> } = {},
  ) {
    super(message, { cause: options.cause });
    this.extensions = { ...options.extensions, code };
  }
}

export const badInput = (message: string, argument?: string): HashiraError =>
  new HashiraError('BAD_USER_INPUT', message, argument ? { extensions: { argument } } : {});

export const notFound = (what: string, id: string): HashiraError =>
  new HashiraError('NOT_FOUND', `No ${what} has the id "${id.slice(0, 100)}".`);
