import { z } from 'zod';
import { InputError } from '../../errors.js';
import {
  answerLedgerControl,
  type ControlledLedger,
  json,
  parseControlBody,
  parseInput,
  type SandboxReply,
  type SandboxRequest,
} from '../kit/index.js';
import { SysproAsLedger } from './asLedger.js';
import type { SysproCompany } from './company.js';
import type { SysproRest } from './rest.js';
import type { SysproSessions } from './sessions.js';
import { type SysproSettings, sysproSettingsSchema } from './settings.js';
import { journalView, SysproLedgerView } from './views.js';

const count = z.int().min(0);
/** A period by SYSPRO's own name, or by a day in it as all simulated ledgers take it. */
const periodSchema = z.strictObject({ year: z.int(), period: z.int(), open: z.boolean() });
const dayInPeriodSchema = z.strictObject({ on: z.iso.date(), open: z.boolean() });
const currentPeriodSchema = z.strictObject({ year: z.int(), period: z.int() });
const accountSchema = z.strictObject({
  code: z.string().min(1),
  description: z.string().optional(),
  type: z.enum(['A', 'L', 'C', 'R', 'E', 'S', 'T']).optional(),
  onHold: z.boolean().optional(),
  /** The opposite of `onHold`, as all simulated ledgers take it. */
  active: z.boolean().optional(),
  control: z.boolean().optional(),
  password: z.string().optional(),
});
const supplierSchema = z
  .strictObject({ code: z.string().min(1), onHold: z.boolean().optional(), active: z.boolean().optional() })
  .refine(({ onHold, active }) => (onHold === undefined) !== (active === undefined), 'needs onHold or active');
const scenarioSchema = z.strictObject({ unpostedJournals: count.optional(), failedGlJournals: count.optional() });
// Without defaults: only what is sent changes.
const settingsPatchSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(sysproSettingsSchema.shape).map(([name, field]) => [name, field.removeDefault().optional()]),
  ),
);
const PAGE_ROWS = 100;

export type SysproSettingsPatch = Partial<SysproSettings>;

/** What a person or a test can do to the company beside the API. @throws InputError naming what does not exist. */
export class SysproControls {
  readonly ledger: SysproLedgerView;
  /** The company in the words that all simulated ledgers share. */
  readonly asLedger: ControlledLedger;
  private readonly common: SysproAsLedger;

  constructor(
    private readonly company: SysproCompany,
    private readonly sessions: SysproSessions,
    private readonly settings: SysproSettings,
    private readonly rest: SysproRest,
  ) {
    this.ledger = new SysproLedgerView(company);
    const common = new SysproAsLedger(company, rest.requests);
    this.common = common;
    this.asLedger = {
      documents: (reference) => common.documents(reference),
      summary: () => common.summary(),
      suppliers: () => common.suppliers(),
      setPeriodOpen: (day, open) => common.setPeriodOpen(day, open),
      setAccountActive: (code, active) => common.setAccountActive(code, active),
      setSupplierActive: (code, active) => common.setSupplierActive(code, active),
      expireSessions: () => sessions.endAll(),
      reset: () => this.reset(),
    };
  }

  setPeriodOpen(year: number, period: number, open: boolean): void {
    if (!this.company.calendar.setOpen(year, period, open)) throw missing('period', `${year}/${period}`);
  }

  setCurrentPeriod(year: number, period: number): void {
    if (!this.company.calendar.setCurrent(year, period)) throw missing('period', `${year}/${period}`);
  }

  /** Changes an account, or adds it when it is new and its type is given. */
  setAccount(change: z.output<typeof accountSchema>): void {
    const known = this.company.account(change.code);
    const { type } = change;
    if (known === undefined && type === undefined) throw missing('code', change.code);
    const base = known ?? {
      code: change.code,
      description: change.code,
      type: type ?? 'E',
      onHold: false,
      control: false,
      password: '',
    };
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    this.company.addAccount({ ...base, ...given });
  }

  holdSupplier(code: string, onHold: boolean): void {
    const supplier = this.company.payables.supplier(code);
    if (supplier === undefined) throw missing('code', code);
    supplier.onHold = onHold;
  }

  leaveNextJournalsUnposted(times: number): void {
    this.company.leaveUnposted = times;
  }

  failNextGlJournals(times: number): void {
    this.company.failGlJournals = times;
  }

  changeSettings(patch: SysproSettingsPatch): void {
    const given = parseInput(settingsPatchSchema, patch);
    const changed = parseInput(sysproSettingsSchema, { ...this.settings, ...given });
    Object.assign(this.settings, changed);
  }

  /** Answers a request below `/_sandbox/`; undefined when there is no such control. */
  answer(route: string, request: SandboxRequest): SandboxReply | undefined {
    switch (`${request.method} ${route}`) {
      case 'GET documents':
        return answerLedgerControl(this.asLedger, route, request);
      case 'GET journals':
        return json(200, this.journals(request));
      case 'GET invoices':
        return json(200, { invoices: this.invoices(request) });
      case 'GET suppliers':
        return json(200, { suppliers: this.suppliers(request) });
      case 'GET summary':
        return json(200, this.summary(request));
      case 'GET sessions':
        return json(200, { sessions: this.sessions.list(), logons: this.sessions.logons });
      case 'DELETE sessions':
        return json(200, { ended: this.sessions.endAll() });
      case 'GET settings':
        return json(200, this.settings);
      default:
        return request.method === 'POST' ? this.change(route, request) : undefined;
    }
  }

  private change(route: string, request: SandboxRequest): SandboxReply | undefined {
    switch (route) {
      case 'periods': {
        if (request.body.includes('"on"')) {
          const { on, open } = parseControlBody(dayInPeriodSchema, request);
          this.common.setPeriodOpen(on, open);
          return json(200, { on, open });
        }
        const { year, period, open } = parseControlBody(periodSchema, request);
        this.setPeriodOpen(year, period, open);
        return json(200, { year, period, open });
      }
      case 'current-period': {
        const { year, period } = parseControlBody(currentPeriodSchema, request);
        this.setCurrentPeriod(year, period);
        return json(200, { year, period });
      }
      case 'accounts': {
        const { active, ...change } = parseControlBody(accountSchema, request);
        this.setAccount(active === undefined ? change : { ...change, onHold: !active });
        return json(200, { code: change.code });
      }
      case 'suppliers': {
        const { code, onHold, active } = parseControlBody(supplierSchema, request);
        this.holdSupplier(code, onHold ?? active === false);
        return json(200, { code, onHold, active });
      }
      case 'scenarios': {
        const scenario = parseControlBody(scenarioSchema, request);
        this.leaveNextJournalsUnposted(scenario.unpostedJournals ?? this.company.leaveUnposted);
        this.failNextGlJournals(scenario.failedGlJournals ?? this.company.failGlJournals);
        return json(200, scenario);
      }
      case 'settings':
        this.changeSettings(parseControlBody(settingsPatchSchema, request));
        return json(200, this.settings);
      case 'reset':
        this.reset();
        return json(200, this.ledger.summary());
      default:
        return undefined;
    }
  }

  /** Back to the seed: documents, set-up, sessions. Settings and faults stay. */
  reset(): void {
    this.company.reset();
    this.sessions.endAll();
    this.rest.requests.clear();
  }

  private journals(request: SandboxRequest): { total: number; journals: unknown[] } {
    const reference = request.query.get('reference');
    const all = reference === null ? this.company.journals.all : this.company.journals.withReference(reference);
    const offset = Number(request.query.get('offset') ?? 0) || 0;
    const limit = Number(request.query.get('limit') ?? PAGE_ROWS) || PAGE_ROWS;
    return { total: all.length, journals: all.slice(offset, offset + limit).map(journalView) };
  }

  private invoices(request: SandboxRequest): unknown[] {
    const supplier = request.query.get('supplier');
    const number = request.query.get('invoice');
    return this.ledger
      .invoices()
      .filter((invoice) => supplier === null || invoice.supplier === this.ledger.supplier(supplier)?.code)
      .filter((invoice) => number === null || invoice.invoice === number);
  }

  private suppliers(request: SandboxRequest): unknown[] {
    const code = request.query.get('code');
    if (code === null) return this.ledger.suppliers();
    const supplier = this.ledger.supplier(code);
    return supplier === undefined ? [] : [supplier];
  }

  private summary(request: SandboxRequest): unknown {
    const balances = request.query.has('accounts') ? { accounts: this.ledger.balances() } : {};
    return { ...this.ledger.summary(), requests: Object.fromEntries(this.rest.requests), ...balances };
  }
}

function missing(field: string, value: string): InputError {
  return new InputError(`${field}: the company has no '${value}'.`, [field]);
}
