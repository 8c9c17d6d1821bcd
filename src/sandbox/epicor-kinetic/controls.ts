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
import { CLERK, type KineticAccess } from './access.js';
import { renumberInvoice } from './apInvoices.js';
import { keyOf } from './apRows.js';
import { removeInvoice } from './apSaving.js';
import type { KineticCompany, Scenarios } from './company.js';
import { KineticError } from './failures.js';
import { KineticLedgerView } from './ledgerView.js';
import type { KineticRest } from './rest.js';
import { type Row, text, whole } from './rows.js';
import { type KineticSettings, kineticSettingsSchema } from './settings.js';
import { AP_GROUP, AP_INVOICE, GL_GROUP, GL_HEADER, VENDOR } from './tables.js';

const count = z.int().min(0);
const scenariosSchema = z.strictObject({
  ...{ promptedSaves: count.optional(), failedRows: count.optional(), failedPostings: count.optional() },
  ...{ stuckPostings: count.optional(), truncatedLists: count.optional(), brokenAnswers: count.optional() },
});
const groupSchema = z.strictObject({ groupId: z.string().min(1), holder: z.string().default(CLERK.username) });
const invoiceSchema = z.strictObject({ vendor: z.string().min(1), invoiceNum: z.string().min(1) });
const renumberSchema = invoiceSchema.extend({ newVendor: z.string().optional(), newInvoiceNum: z.string().optional() });
const referenceSchema = z.strictObject({ reference: z.string().min(1) });
// Without defaults: only what is sent changes.
const settingsPatchSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(kineticSettingsSchema.shape).map(([name, field]) => [name, field.removeDefault().optional()]),
  ),
);

export type KineticSettingsPatch = Partial<KineticSettings>;
export type ScenariosPatch = z.input<typeof scenariosSchema>;

/** What a person or a test can do to the company beside the API. @throws InputError naming what does not exist. */
export class KineticControls implements ControlledLedger {
  readonly view: KineticLedgerView;

  constructor(
    private readonly company: KineticCompany,
    private readonly access: KineticAccess,
    private readonly settings: KineticSettings,
    private readonly rest: KineticRest,
  ) {
    this.view = new KineticLedgerView(company);
  }

  documents(reference?: string): LedgerDocumentView[] {
    this.company.runAgent();
    return this.view.documents(reference);
  }

  summary(): LedgerSummary {
    this.company.runAgent();
    return this.view.summary(this.rest.requests);
  }

  suppliers(): { code: string; name: string; active: boolean }[] {
    return this.view.suppliers();
  }

  setPeriodOpen(day: string, open: boolean): void {
    const done = this.company.database.transaction(() => this.company.setPeriodOpen(day, open));
    if (!done) throw missing('on', day);
  }

  setAccountActive(code: string, active: boolean): void {
    const done = this.company.database.transaction(() => this.company.chart.setActive(code, active));
    if (!done) throw missing('code', code);
  }

  setSupplierActive(code: string, active: boolean): void {
    const vendor = this.vendor(code, 'code');
    this.company.database.transaction(() => this.company.database.table(VENDOR).put({ ...vendor, Inactive: !active }));
  }

  expireSessions(): number {
    return this.access.endAll();
  }

  /** Back to the seed: documents, set-up, logins, scenarios. Settings and faults stay. */
  reset(): void {
    this.company.reset();
    this.access.endAll();
    this.rest.requests.clear();
  }

  changeSettings(patch: KineticSettingsPatch): void {
    const given = parseInput(settingsPatchSchema, patch);
    Object.assign(this.settings, parseInput(kineticSettingsSchema, { ...this.settings, ...given }));
  }

  setScenarios(patch: ScenariosPatch): Scenarios {
    Object.assign(this.company.scenarios, parseInput(scenariosSchema, patch));
    return { ...this.company.scenarios };
  }

  /** Payables and ledger groups that there are, with who holds them. */
  groups() {
    const { database } = this.company;
    const shown = (type: 'AP' | 'GL') => (row: Row) => ({
      type,
      groupId: text(row, 'GroupID'),
      holder: text(row, 'ActiveUserID'),
      postErrorLog: text(row, 'PostErrorLog'),
      postInProcess: row.PostInProcess === true,
      documents: database.table(type === 'AP' ? AP_INVOICE : GL_HEADER).countWhere('GroupID', text(row, 'GroupID')),
    });
    return [
      ...[...database.table(AP_GROUP).all()].map(shown('AP')),
      ...[...database.table(GL_GROUP).all()].map(shown('GL')),
    ];
  }

  /** Gives a group to a user, or with '' to nobody. */
  holdGroup(groupId: string, holder: string = CLERK.username): void {
    const { database } = this.company;
    const held = [AP_GROUP, GL_GROUP].filter((def) => {
      const table = database.table(def);
      const group = table.find(groupId);
      if (group !== undefined) database.transaction(() => table.put({ ...group, ActiveUserID: holder }));
      return group !== undefined;
    });
    if (held.length === 0) throw missing('groupId', groupId);
  }

  /** Another user saves the document without changing anything: what was read before is stale from then on. */
  touchDocument(reference: string): void {
    const { database } = this.company;
    for (const def of [AP_INVOICE, GL_HEADER]) {
      const table = database.table(def);
      const column = def === AP_INVOICE ? 'InvoiceNum' : 'GroupID';
      const [row] = table.where(column, reference);
      if (row === undefined) continue;
      database.transaction(() => table.put(row));
      return;
    }
    throw missing('reference', reference);
  }

  /** A person deletes an unposted invoice. */
  deleteInvoice(vendor: string, invoiceNum: string): void {
    const header = this.invoice(vendor, invoiceNum);
    this.byPerson(() => removeInvoice({ company: this.company, user: text(header, 'EntryPerson') }, header));
  }

  /** A person moves an unposted invoice to another vendor or number. */
  renumberInvoice(from: { vendor: string; invoiceNum: string }, to: { vendor?: string; invoiceNum?: string }): void {
    const header = this.invoice(from.vendor, from.invoiceNum);
    const key = keyOf(header);
    const vendorNum = to.vendor === undefined ? key.vendorNum : whole(this.vendor(to.vendor, 'newVendor'), 'VendorNum');
    const target = { vendorNum, invoiceNum: to.invoiceNum ?? key.invoiceNum };
    const context = { company: this.company, user: text(header, 'EntryPerson') };
    this.byPerson(() => renumberInvoice(context, key, target));
  }

  runAgent(): number {
    return this.company.runAgent(true);
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
      case 'GET scenarios':
        return json(200, this.company.scenarios);
      case 'POST scenarios':
        return json(200, this.setScenarios(parseControlBody(scenariosSchema, request)));
      case 'GET groups':
        return json(200, { groups: this.groups() });
      case 'POST groups': {
        const { groupId, holder } = parseControlBody(groupSchema, request);
        this.holdGroup(groupId, holder);
        return json(200, { groups: this.groups() });
      }
      case 'POST touch': {
        this.touchDocument(parseControlBody(referenceSchema, request).reference);
        return json(200, {});
      }
      case 'POST agent':
        return json(200, { ran: this.runAgent() });
      case 'POST delete-invoice': {
        const { vendor, invoiceNum } = parseControlBody(invoiceSchema, request);
        this.deleteInvoice(vendor, invoiceNum);
        return json(200, {});
      }
      case 'POST renumber-invoice': {
        const { vendor, invoiceNum, newVendor, newInvoiceNum } = parseControlBody(renumberSchema, request);
        this.renumberInvoice(
          { vendor, invoiceNum },
          {
            ...(newVendor === undefined ? {} : { vendor: newVendor }),
            ...(newInvoiceNum === undefined ? {} : { invoiceNum: newInvoiceNum }),
          },
        );
        return json(200, {});
      }
      default:
        return undefined;
    }
  }

  private vendor(code: string, field: string): Row {
    const vendor = this.company.vendorByCode(code);
    if (vendor === undefined) throw missing(field, code);
    return vendor;
  }

  private invoice(vendor: string, invoiceNum: string): Row {
    const vendorNum = whole(this.vendor(vendor, 'vendor'), 'VendorNum');
    const header = this.company.database.table(AP_INVOICE).find(vendorNum, invoiceNum);
    if (header === undefined) throw missing('invoiceNum', invoiceNum);
    return header;
  }

  private byPerson(work: () => void): void {
    try {
      this.company.database.transaction(work);
    } catch (error) {
      if (error instanceof KineticError) throw new InputError(error.message);
      throw error;
    }
  }
}

function missing(field: string, value: string): InputError {
  return new InputError(`${field}: the company has no '${value}'.`, [field]);
}
