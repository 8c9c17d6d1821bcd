import { z } from 'zod';

const DAY_S = 86_400;

/**
 * The switches of the simulated Brex. Defaults are what is documented or observed; where Brex's behaviour is not
 * established the default is the less comfortable one.
 */
export const SETTINGS = z
  .object({
    /** Requests per token and window; null takes the limit away. */
    rateLimit: z.object({ requests: z.int().min(1), windowSeconds: z.number().positive() }).nullable(),
    transferLimit: z.object({ requests: z.int().min(1), windowSeconds: z.number().positive() }).nullable(),
    /** Whether a 429 has a body. Brex's is not established. */
    rateLimitBody: z.boolean(),
    /** Seconds in a `Retry-After` header on 429; null sends none, as seen. */
    retryAfterSeconds: z.int().nullable(),
    /** How far back the records query looks when nothing bounds `updated_at`. */
    defaultRecordWindowDays: z.number().positive(),
    /** `integration_id` as the schema says, or `id` as Brex's own examples do. */
    integrationIdName: z.enum(['integration_id', 'id', 'both']),
    /** Where a record goes after a failure report. */
    failureStatus: z.enum(['REVIEW', 'PREPARE']),
    /** The answer to a known Idempotency-Key with another body. */
    idempotencyConflict: z.enum(['conflict', 'original']),
    /** What a second field or value with a known `remote_id` gets. Not established. */
    duplicates: z.enum(['refuse', 'accept']),
    /** Whether a cursor only works with the filters it was made for. */
    cursorNeedsFilters: z.boolean(),
    /** Whether `GET /v1/expenses` lists the children of splits beside their parents. */
    splitChildrenInList: z.boolean(),
    /** Sign of `amount` on refund records. Not established; lines are always positive. */
    refundRecordAmount: z.enum(['negative', 'positive']),
    accessTokenSeconds: z.number().positive(),
    sendExpiresIn: z.boolean(),
    /** Each refresh gives a new refresh token and spends the old one. */
    rotateRefreshTokens: z.boolean(),
    /** With rotation: using a spent refresh token revokes the whole grant. */
    detectReuse: z.boolean(),
    /** Share of objects (0 to 1, chosen by seed) with fields, spaces and constants that no documentation shows. */
    extraFields: z.number().min(0).max(1),
    trailingSpaces: z.number().min(0).max(1),
    /** Unknown constants in enums that do not decide money: category, role. */
    unknownEnums: z.number().min(0).max(1),
    /** Unknown constants in `type` of transactions and records. */
    unknownTypes: z.number().min(0).max(1),
    /** Refuses non-ASCII text in POST bodies of fields and vendors. */
    asciiOnly: z.boolean(),
    /** Send ACCOUNTING_RECORD_READY_FOR_EXPORT when the clock reveals records. */
    webhooksOnReveal: z.boolean(),
    webhookBatchSize: z.int().min(1),
    webhookTimeoutMs: z.int().min(1),
    /** Waits before the attempts after the first. Svix's defaults. */
    webhookRetryDelaysMs: z.array(z.int().min(0)),
  })
  .strict();

export type BrexSettings = z.infer<typeof SETTINGS>;

export const DEFAULT_SETTINGS: BrexSettings = {
  rateLimit: { requests: 1000, windowSeconds: 60 },
  transferLimit: { requests: 1000, windowSeconds: DAY_S },
  rateLimitBody: true,
  retryAfterSeconds: null,
  defaultRecordWindowDays: 7,
  integrationIdName: 'integration_id',
  failureStatus: 'REVIEW',
  idempotencyConflict: 'conflict',
  duplicates: 'refuse',
  cursorNeedsFilters: true,
  splitChildrenInList: false,
  refundRecordAmount: 'negative',
  accessTokenSeconds: 3600,
  sendExpiresIn: false,
  rotateRefreshTokens: true,
  detectReuse: true,
  extraFields: 0.5,
  trailingSpaces: 0.1,
  unknownEnums: 0.02,
  unknownTypes: 0,
  asciiOnly: true,
  webhooksOnReveal: false,
  webhookBatchSize: 50,
  webhookTimeoutMs: 15_000,
  webhookRetryDelaysMs: [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000],
};
