import { z } from 'zod';
import { InputError } from '../../errors.js';
import {
  answerLedgerControl,
  type ControlledLedger,
  json,
  type LedgerDocumentView,
  type LedgerSummary,
  parseControlBody,
  parseInput,
  type SandboxReply,
  type SandboxRequest,
} from '../kit/index.js';
import type { Tokens } from './access.js';
import type { Acknowledgement, M3Company } from './company.js';
import type { M3Gateway } from './gateway.js';
import {
  type InforM3Settings,
  type InforM3SettingsInput,
  inforM3SettingsSchema,
  settingsPatchSchema,
} from './settings.js';
import { M3Views } from './views.js';

const day = z.iso.date().nullable();
const accountSchema = z.strictObject({
  dimension: z
    .string()
    .regex(/^[1-7]$/)
    .default('1'),
  code: z.string().min(1),
  manualBlocked: z.boolean().optional(),
  validFrom: day.optional(),
  validTo: day.optional(),
});
const mischiefSchema = z.strictObject({
  terminateBulkAfter: z.int().min(0).nullable().optional(),
  repeatWrites: z.int().min(0).optional(),
  lockWrites: z.int().min(0).optional(),
});

export type AccountChange = z.input<typeof accountSchema>;
export type Mischief = z.input<typeof mischiefSchema>;

/** A batch invoice as a person sees it in APS450, with the texts that no API shows. */
export interface StagedInvoiceView {
  readonly number: string;
  readonly invoiceNumber: string;
  readonly status: string;
  readonly posted: boolean;
  readonly problems: readonly string[];
}

/** A GL batch as a person sees it in GLS840. */
export interface GlBatchView {
  readonly key: string;
  readonly description: string;
  readonly lines: number;
  readonly controlled: boolean;
  readonly updates: number;
  readonly vouchers: readonly string[];
  readonly failure: string | null;
}

/** What a person or a test can do to the company beside the API. @throws InputError naming what does not exist. */
export class InforM3Controls implements ControlledLedger {
  private readonly views: M3Views;

  constructor(
    private readonly company: M3Company,
    private readonly tokens: Tokens,
    private readonly settings: InforM3Settings,
    private readonly gateway: M3Gateway,
  ) {
    this.views = new M3Views(company);
  }

  documents(reference?: string): LedgerDocumentView[] {
    this.company.jobs.settle();
    return this.views.documents(reference);
  }

  summary(): LedgerSummary {
    this.company.jobs.settle();
    return this.views.summary(this.gateway.requests);
  }

  suppliers(): { code: string; name: string; active: boolean }[] {
    return this.views.suppliers();
  }

  setPeriodOpen(on: string, open: boolean): void {
    const period = this.company.period(on);
    if (period === undefined) throw new InputError(`on: no period holds ${on}.`, ['on']);
    period.open = open;
  }

  setAccountActive(code: string, active: boolean): void {
    const account = this.company.account(code.toUpperCase());
    if (account === undefined) throw missing('code', code);
    account.blocked = !active;
    this.touch(account);
  }

  setSupplierActive(code: string, active: boolean): void {
    const supplier = this.company.suppliers.get(code.toUpperCase());
    if (supplier === undefined) throw missing('code', code);
    supplier.status = active ? '20' : '90';
    supplier.changedAtMs = this.company.nowMs();
  }

  expireSessions(): number {
    return this.tokens.endAll();
  }

  /** Back to the seed: documents, master data, tokens, background work. Settings and faults stay. */
  reset(): void {
    this.company.reset();
    this.tokens.endAll();
    this.gateway.forget();
  }

  changeAccount(change: AccountChange): void {
    const { dimension, code, manualBlocked, validFrom, validTo } = parseInput(accountSchema, change);
    const account = this.company.dimension(dimension, code.toUpperCase());
    if (account === undefined) throw missing('code', code);
    account.manualBlocked = manualBlocked ?? account.manualBlocked;
    account.validFrom = validFrom === undefined ? account.validFrom : validFrom;
    account.validTo = validTo === undefined ? account.validTo : validTo;
    this.touch(account);
  }

  changeSettings(patch: InforM3SettingsInput): void {
    const given = parseInput(settingsPatchSchema, patch);
    Object.assign(this.settings, parseInput(inforM3SettingsSchema, { ...this.settings, ...given }));
  }

  makeMischief(mischief: Mischief): void {
    Object.assign(this.gateway.mischief, parseInput(mischiefSchema, mischief));
  }

  finishBackgroundWork(): number {
    return this.company.jobs.finishAll();
  }

  acknowledgements(): Acknowledgement[] {
    this.company.jobs.settle();
    return this.company.messages.map((message) => ({ ...message }));
  }

  stagedInvoices(): StagedInvoiceView[] {
    this.company.jobs.settle();
    return [...this.company.invoices.all()].map(({ number, invoiceNumber, status, voucher, problems }) => ({
      ...{ number: String(number), invoiceNumber, status, posted: voucher !== null, problems: [...problems] },
    }));
  }

  glBatches(): GlBatchView[] {
    this.company.jobs.settle();
    return [...this.company.batches.all()].map(
      ({ key, description, lines, controlled, updates, vouchers, failure }) => ({
        ...{ key, description, lines: lines.length, controlled, updates, failure },
        vouchers: vouchers.map(({ number }) => String(number)),
      }),
    );
  }

  /** Answers a request below `/_sandbox/`; undefined when there is no such control. */
  answer(route: string, request: SandboxRequest): SandboxReply | undefined {
    const shared = answerLedgerControl(this, route, request);
    if (shared !== undefined) return shared;
    switch (`${request.method} ${route}`) {
      case 'GET settings':
        return json(200, this.settings);
      case 'POST settings':
        this.changeSettings(parseControlBody(settingsPatchSchema, request));
        return json(200, this.settings);
      case 'POST account-details': {
        const change = parseControlBody(accountSchema, request);
        this.changeAccount(change);
        return json(200, change);
      }
      case 'POST mischief':
        this.makeMischief(parseControlBody(mischiefSchema, request));
        return json(200, this.gateway.mischief);
      case 'POST background-work':
        return json(200, { finished: this.finishBackgroundWork() });
      case 'GET acknowledgements':
        return json(200, { acknowledgements: this.acknowledgements() });
      case 'GET staged-invoices':
        return json(200, { invoices: this.stagedInvoices() });
      case 'GET gl-batches':
        return json(200, { batches: this.glBatches() });
      default:
        return undefined;
    }
  }

  private touch(account: { changes: number; changedAtMs: number }): void {
    account.changes += 1;
    account.changedAtMs = this.company.nowMs();
  }
}

function missing(field: string, value: string): InputError {
  return new InputError(`${field}: the company has no '${value}'.`, [field]);
}
