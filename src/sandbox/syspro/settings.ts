import { z } from 'zod';

/** How this installation behaves where installations differ. All of it can be changed while it runs. */
export const sysproSettingsSchema = z.strictObject({
  /** A session unused for longer is gone. The real value is site configuration and not published. */
  idleSeconds: z.int().min(1).default(900),
  /** Concurrent sessions of different operators. */
  seats: z.int().min(1).default(5),
  /** Answers as a JSON string, as some installations do. */
  jsonQuote: z.boolean().default(false),
  /** Answers inside `<string xmlns=…>`, as WCF does by default. */
  stringElement: z.boolean().default(false),
  /** Lower-cases all element names of transaction answers. */
  lowerCaseOutput: z.boolean().default(false),
  /** Numbers of queries filled with blanks (`     117`) in place of zeros (`00117`). */
  blankPadding: z.boolean().default(false),
  /** Request line and headers together; longer ones are answered with 414, as HTTP.sys does at about 16 KB. */
  urlLimitBytes: z.int().min(256).default(16_384),
  /** Whether `Transaction/PostLD` is there (SYSPRO 8 and later). */
  postLd: z.boolean().default(true),
  /** Where journal numbers begin again. */
  journalNumbering: z.enum(['YEAR', 'PERIOD']).default('YEAR'),
  /** Journals must be authorised before they can be posted. */
  authorisationRequired: z.boolean().default(false),
  /** Payables make ledger journals at once. */
  apIntegration: z.boolean().default(true),
  /** Largest number of rows COMFND returns; null is without end. The real cap is not published. */
  findRowsMax: z.int().min(1).nullable().default(null),
  /** Whether COMFND may read GenJournalCtl and GenJournalDetail; must be confirmed at each installation. */
  findJournals: z.boolean().default(true),
});

export type SysproSettings = z.output<typeof sysproSettingsSchema>;
export type SysproSettingsInput = z.input<typeof sysproSettingsSchema>;
