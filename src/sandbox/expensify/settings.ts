import { z } from 'zod';

/** How a download answers while the file is not there. Expensify documents none of them; all have been seen or guessed. */
export const NOT_READY_FORMS = ['empty', 'envelope404', 'http404', 'textNotFound', 'envelope500'] as const;
export type NotReadyForm = (typeof NOT_READY_FORMS)[number];

/**
 * The switches of the simulated Expensify. Where the vendor's behaviour is documented there is none; where nobody knows,
 * the default is the less comfortable answer.
 */
export const expensifySettingsSchema = z.strictObject({
  /** Calls within a sliding window, over all callers; null takes the limits away. */
  rateLimits: z
    .array(z.strictObject({ requests: z.int().min(1), seconds: z.number().positive() }))
    .nullable()
    .default([
      { requests: 5, seconds: 10 },
      { requests: 20, seconds: 60 },
    ]),
  rateLimitStatus: z.union([z.literal(200), z.literal(429)]).default(200),
  /** Seconds in a `Retry-After` header on 429; null sends none. */
  retryAfterSeconds: z.int().min(0).nullable().default(null),
  /** How wrong credentials are answered. */
  badCredentials: z.enum(['envelope401', 'http403', 'envelope500']).default('envelope401'),
  /** How a request is answered that is no JSON or names no type. */
  malformedRequest: z.enum(['envelope', 'html500']).default('envelope'),
  /** Form of `responseCode` in envelopes. */
  responseCodeAs: z.enum(['number', 'text', 'decimal']).default('number'),
  /** When the exporter gets to a job, after it was accepted. Labels are set at that moment. */
  jobDelayMs: z.int().min(0).max(3_600_000).default(0),
  /** How many downloads of a finished file are still answered with "not ready". */
  notReadyDownloads: z.int().min(0).max(1000).default(1),
  /** `rotate` takes another form each time. */
  notReady: z.enum([...NOT_READY_FORMS, 'rotate']).default('rotate'),
  /** What a download says when the template failed. */
  failedJob: z.enum(['neverReady', 'envelope500']).default('neverReady'),
  /** Files are gone so long after they were made; null keeps them. */
  fileLifetimeMs: z.int().min(1).nullable().default(null),
  submitReply: z.enum(['bare', 'envelope']).default('bare'),
  /** `csv` gives every file that ending, whatever was asked for, as one client saw it. */
  fileEnding: z.enum(['asAsked', 'csv']).default('asAsked'),
  /** Whether `approvedAfter` finds reports approved on that day. The manual says both. */
  approvedAfterIncludesDay: z.boolean().default(false),
  /** Order of reports in a file. */
  reportOrder: z.enum(['created', 'mixed']).default('mixed'),
  /** `perReport` runs the template again for each report, with `addHeader` for the first only. */
  templateRuns: z.enum(['once', 'perReport']).default('once'),
  /** How fields without a value come: as an empty text, not at all, or some this way and some that. */
  blanks: z.enum(['text', 'missing', 'mixed']).default('mixed'),
  /** Whether `convertedAmount` is filled where both currencies are the same. */
  sameCurrencyConverted: z.enum(['filled', 'blank', 'mixed']).default('mixed'),
  transactionIDAs: z.enum(['text', 'number']).default('text'),
  amountsAs: z.enum(['number', 'text']).default('number'),
  datesAs: z.enum(['text', 'date']).default('text'),
  /** Moments of reports with their time of day, or the day alone. */
  dateTimes: z.boolean().default(true),
  statusTexts: z
    .strictObject({ OPEN: z.string(), SUBMITTED: z.string(), APPROVED: z.string() })
    .extend({ REIMBURSED: z.string(), ARCHIVED: z.string() })
    .default({
      ...{ OPEN: 'Open', SUBMITTED: 'Processing', APPROVED: 'Approved' },
      ...{ REIMBURSED: 'Reimbursed', ARCHIVED: 'Closed' },
    }),
});

export type ExpensifySettings = z.output<typeof expensifySettingsSchema>;
export type ExpensifySettingsInput = z.input<typeof expensifySettingsSchema>;

/** A change while it runs: defaults must not come back for switches that are not named. */
export const settingsPatchSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(expensifySettingsSchema.shape).map(([name, schema]) => [name, schema.unwrap().optional()]),
  ),
);
