import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/**
 * A scripted Epicor Kinetic, as small as the connector's own tests allow: one company, one book, no checks of its own but
 * keys. A test may answer any call itself, or lose a reply before or after it had its effect. It shares no line with
 * the sandbox, and says nothing about how Epicor behaves.
 */

export type Row = Record<string, unknown>;

export interface Call {
  readonly verb: string;
  /** `APInvoiceSvc/Update`, `Vendors`, `token`. */
  readonly operation: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: Row;
}

export type Reply =
  | {
      readonly status?: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly headers?: Record<string, string>;
    }
  /** The connection breaks without effect, or after it. */
  | 'lost-before'
  | 'lost-after'
  | undefined;

/** A 64-bit revision that a double cannot hold: 2^53 + 1. */
export const REVISION = '9007199254740993';

export interface ScriptedEpicor {
  readonly url: string;
  readonly calls: Call[];
  readonly invoices: Map<string, StoredInvoice>;
  readonly apGroups: Map<string, Row>;
  readonly glGroups: Map<string, Row>;
  readonly drafts: StoredJournal[];
  readonly posted: Row[];
  readonly vendors: Row[];
  /** What is answered to a list is cut at so many rows. */
  cap: number;
  /** Makes answers; undefined = the standard one. */
  answer: (call: Call) => Reply | Promise<Reply>;
  close(): Promise<void>;
}

export interface StoredInvoice {
  head: Row;
  lines: { line: Row; expense: Row; coding: Row }[];
}
export interface StoredJournal {
  head: Row;
  lines: Row[];
}

const GROUP = { CreatedBy: 'gateway', ActiveUserID: '', PostErrorLog: '', PostInProcess: false };

export function epicorError(status: number, message: string, type = 'Ice.Common.BusinessObjectException'): Reply {
  return {
    status,
    json: {
      HttpStatus: status,
      ReasonPhrase: 'REST API Exception',
      ErrorMessage: message,
      ErrorType: type,
      CorrelationId: 'c0ffee',
    },
  };
}

const absent = () => epicorError(404, 'Record not found.', 'Ice.Common.RecordNotFoundException');
const listed = (value: readonly Row[]): Reply => ({ json: { value } });
const method = (ds: Row, more: Row = {}): Reply => ({ json: { parameters: { ...more, ds } } });
const returned = (tables: Row): Reply => ({ json: { returnObj: tables } });

export async function scriptedEpicor(): Promise<ScriptedEpicor> {
  const state: ScriptedEpicor = {
    url: '',
    calls: [],
    invoices: new Map(),
    apGroups: new Map(),
    glGroups: new Map(),
    drafts: [],
    posted: [],
    vendors: [
      { VendorNum: 204, VendorID: 'AMAZON', Name: 'Amazon Business', Inactive: false, CurrencyCode: 'USD' },
      { VendorNum: 205, VendorID: 'STOPPED', Name: 'Stopped', Inactive: true, CurrencyCode: 'USD' },
      { VendorNum: 206, VendorID: 'EURO', Name: 'Euro', Inactive: false, CurrencyCode: 'EUR' },
    ],
    cap: 100,
    answer: () => undefined,
    close: async () => undefined,
  };
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://host');
    const operation = url.pathname.replace(/^.*\/(?:EPIC06\/(?:\w+\.\w+\.)?|connect\/)/, '');
    const body = text.startsWith('{')
      ? (JSON.parse(text.replaceAll(REVISION, '1')) as Row)
      : Object.fromEntries(url.searchParams);
    const call: Call = { verb: request.method ?? '', operation, url, headers: request.headers, text, body };
    state.calls.push(call);
    const own = await state.answer(call);
    if (own === 'lost-before') {
      response.destroy();
      return;
    }
    const reply = own === undefined || own === 'lost-after' ? standard(state, call) : own;
    if (own === 'lost-after') {
      response.destroy();
      return;
    }
    const whole = typeof reply === 'object' ? reply : {};
    // The revision is written into the text, because no number of this language could carry it.
    const json = JSON.stringify(whole.json ?? {}).replaceAll('"SysRevID":1', `"SysRevID":${REVISION}`);
    response.writeHead(whole.status ?? 200, { 'content-type': 'application/json', ...whole.headers });
    response.end(whole.text ?? json);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/KineticLive`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** The rows of a filter, as far as these tests filter. */
function matching(rows: readonly Row[], filter: string): Row[] {
  const wanted = [...filter.matchAll(/(InvoiceNum|GroupID|VendorID) eq '([^']*)'/g)];
  const found =
    wanted.length === 0 ? rows : rows.filter((row) => wanted.some(([, column = '', value]) => row[column] === value));
  const behind = /VendorNum gt (\d+)/.exec(filter)?.[1];
  return behind === undefined ? [...found] : found.filter((row) => Number(row.VendorNum) > Number(behind));
}

function standard(state: ScriptedEpicor, call: Call): Reply {
  const { operation, url, body } = call;
  const filter = url.searchParams.get('$filter') ?? '';
  const list = (rows: readonly Row[]): Reply => {
    const top = Math.min(Number(url.searchParams.get('$top') ?? 100), state.cap);
    const skip = Number(url.searchParams.get('$skip') ?? 0);
    return listed(matching(rows, filter).slice(skip, skip + top));
  };
  const tables = (body.ds ?? {}) as Record<string, Row[]>;
  switch (operation) {
    case 'token':
      return {
        json: {
          access_token: `token-${state.calls.filter((one) => one.operation === 'token').length}`,
          expires_in: 3600,
        },
      };
    case 'GLBookSvc/GLBooks':
      return list([
        { BookID: 'MAIN', COACode: 'MAIN', CurrencyCode: 'USD', FiscalCalendarID: 'MAIN', Inactive: false },
      ]);
    case 'GLAccountSvc/GLAccounts':
      return filter.includes('gt')
        ? listed([])
        : listed([{ GLAccount1: '6400|00|20', AccountDesc: 'Cloud', Active: true }]);
    case 'GLAccountSvc/ValidateGLAccount':
      return { json: {} };
    case 'VendorSvc/Vendors':
      return list(state.vendors);
    case 'VendorSvc/GetNewVendor':
      return method({ Vendor: [{ VendorNum: 0, VendorID: '', Name: '', RowMod: 'A', SysRevID: 0 }] });
    case 'VendorSvc/Update': {
      const row: Row = {
        Inactive: false,
        CurrencyCode: '',
        ...tables.Vendor?.[0],
        VendorNum: 300 + state.vendors.length,
      };
      if (state.vendors.some(({ VendorID }) => VendorID === row.VendorID))
        return epicorError(409, 'Duplicate', 'Ice.DuplicateRecordException');
      state.vendors.push(row);
      return method({ Vendor: [row] });
    }
    case 'GLBookPerSearchSvc/GLBookPerSearches':
      return list([
        {
          FiscalYear: 2026,
          FiscalYearSuffix: '',
          FiscalPeriod: 11,
          StartDate: '2026-11-01T00:00:00',
          EndDate: '2026-11-30T00:00:00',
          ClosedPeriod: false,
          CloseFiscalPeriod: 0,
        },
        {
          FiscalYear: 2026,
          FiscalYearSuffix: '',
          FiscalPeriod: 11,
          StartDate: '2026-11-30T00:00:00',
          EndDate: '2026-11-30T00:00:00',
          ClosedPeriod: false,
          CloseFiscalPeriod: 1,
        },
        {
          FiscalYear: 2026,
          FiscalYearSuffix: '',
          FiscalPeriod: 10,
          StartDate: '2026-10-01',
          EndDate: '2026-10-31',
          ClosedPeriod: true,
          CloseFiscalPeriod: 0,
        },
      ]);
    case 'APInvoiceSvc/APInvoices':
      return list([...state.invoices.values()].map(({ head }) => head));
    case 'GLJournalEntrySvc/GLJournalEntries':
      return list(state.drafts.map(({ head }) => head));
    case 'GLJrnDtlSvc/GLJrnDtls':
      return list(state.posted);
    default:
      return operation.startsWith('GLJ') ? journalMethod(state, call, tables) : invoiceMethod(state, call, tables);
  }
}

// ── invoices ─────────────────────────────────────────────────────────────────────────────────

function invoiceTables({ head, lines }: StoredInvoice): Row {
  return {
    APInvHed: [head],
    APInvDtl: lines.map(({ line }) => line),
    APInvExp: lines.map(({ expense }) => expense),
    APInvExpTGLC: lines.map(({ coding }) => coding),
  };
}

function invoiceMethod(state: ScriptedEpicor, { operation, body }: Call, tables: Record<string, Row[]>): Reply {
  const group = state.apGroups.get(String(body.groupID ?? body.InGroupID ?? body.PostGroupID ?? ''));
  const invoice = state.invoices.get(`${body.vendorNum}/${body.invoiceNum}`);
  switch (operation) {
    case 'APInvGrpSvc/GetNewAPInvGrpNoLock':
      return method({ APInvGrp: [{ GroupID: '', ApplyDate: '2026-11-20T00:00:00', RowMod: 'A', SysRevID: 0 }] });
    case 'APInvGrpSvc/OnChangeofApplyDate':
      return method(
        { APInvGrp: [{ ...tables.APInvGrp?.[0], ApplyDate: `${body.NewApplyDate}T00:00:00` }] },
        { DateMessage: '' },
      );
    case 'APInvGrpSvc/Update': {
      const row = { ...GROUP, ...tables.APInvGrp?.[0], ActiveUserID: 'gateway', RowMod: '' };
      state.apGroups.set(String(tables.APInvGrp?.[0]?.GroupID), row);
      return method({ APInvGrp: [row] });
    }
    case 'APInvGrpSvc/GetByID':
      return group ? returned({ APInvGrp: [group] }) : absent();
    case 'APInvGrpSvc/UnlockGroup':
      if (group) group.ActiveUserID = '';
      return { json: {} };
    case 'APInvGrpSvc/DeleteByID':
      return state.apGroups.delete(String(body.groupID)) ? { json: {} } : absent();
    case 'APInvGrpSvc/PrePostGroupInvoices':
      return { json: { parameters: { ReturnMessage: '', VarianceMessage: '', TaxCalcFlag: false } } };
    case 'APInvoicePostSvc/GetNewParameters':
      return returned({ APInvoicePostParam: [{ GroupID: '', RowMod: 'A' }] });
    case 'APInvoicePostSvc/RunDirect':
      for (const { head } of state.invoices.values()) {
        if (head.GroupID === tables.APInvoicePostParam?.[0]?.GroupID && head.DocInvoiceAmt === head.DocInvoiceVendorAmt)
          head.Posted = true;
      }
      return { json: {} };
    case 'APInvoiceSvc/GetNewAPInvHedInvoice':
    case 'APInvoiceSvc/GetNewAPInvHedDebitMemo':
      return method({
        APInvHed: [
          {
            GroupID: body.cGroupID,
            InvoiceNum: '',
            VendorNum: 0,
            DebitMemo: operation.endsWith('Memo'),
            RowMod: 'A',
            SysRevID: 0,
          },
        ],
      });
    case 'APInvoiceSvc/ChangeVendorID': {
      const vendor = state.vendors.find(({ VendorID }) => VendorID === body.ProposedVendorID);
      return method(
        { APInvHed: [{ ...tables.APInvHed?.[0], VendorNum: vendor?.VendorNum ?? 0, CurrencyCode: 'USD' }] },
        { confirmMsg: '' },
      );
    }
    case 'APInvoiceSvc/ChangeInvoiceDateEx':
      return method(
        { APInvHed: [{ ...tables.APInvHed?.[0], InvoiceDate: body.ProposedInvoiceDate }] },
        { cMessageText: '' },
      );
    case 'APInvoiceSvc/ChangeInvoiceVendorAmt':
      return method({ APInvHed: [{ ...tables.APInvHed?.[0], DocInvoiceVendorAmt: body.ProposedInvoiceVendorAmt }] });
    case 'APInvoiceSvc/Update':
      return saveInvoice(state, tables);
    case 'APInvoiceSvc/GetNewAPInvDtlMiscellaneous':
      return method({
        APInvDtl: [
          {
            VendorNum: body.iVendorNum,
            InvoiceNum: body.cInvoiceNum,
            InvoiceLine: 0,
            LineType: 'M',
            RowMod: 'A',
            SysRevID: 0,
          },
        ],
      });
    case 'APInvoiceSvc/UpdateMaster':
      return addLine(state, tables);
    case 'APInvoiceSvc/GetByID':
      return invoice ? returned(invoiceTables(invoice)) : absent();
    case 'APInvoiceSvc/DeleteByID':
      return state.invoices.delete(`${body.vendorNum}/${body.invoiceNum}`) ? { json: {} } : absent();
    default:
      return epicorError(404, 'Service not found.', 'Epicor.RESTApi.ErrorHandling.ApiException');
  }
}

function saveInvoice(state: ScriptedEpicor, tables: Record<string, Row[]>): Reply {
  const [head] = tables.APInvHed ?? [];
  if (head?.RowMod === 'A') {
    const key = `${head.VendorNum}/${head.InvoiceNum}`;
    if (state.invoices.has(key))
      return epicorError(409, 'This is a duplicate entry of an existing record', 'Ice.Common.DuplicateRecordException');
    const stored = { Posted: false, DocInvoiceAmt: 0, DocInvoiceVendorAmt: 0, ...head, RowMod: '', SysRevID: 1 };
    state.invoices.set(key, { head: stored, lines: [] });
    return method(invoiceTables({ head: stored, lines: [] }));
  }
  const coding = tables.APInvExpTGLC?.find(({ RowMod }) => RowMod === 'U');
  const invoice = state.invoices.get(`${(coding ?? head)?.VendorNum}/${(coding ?? head)?.InvoiceNum}`);
  if (!invoice) return absent();
  const line = invoice.lines.find((one) => one.coding.InvoiceLine === coding?.InvoiceLine);
  if (coding && line) line.coding = { ...coding, RowMod: '', SysRevID: 1 };
  if (head?.RowMod === 'U') invoice.head = { ...head, RowMod: '', SysRevID: 1 };
  return method(invoiceTables(invoice));
}

function addLine(state: ScriptedEpicor, tables: Record<string, Row[]>): Reply {
  const [row] = tables.APInvDtl ?? [];
  const invoice = state.invoices.get(`${row?.VendorNum}/${row?.InvoiceNum}`);
  if (!row || !invoice) return absent();
  const sign = invoice.head.DebitMemo ? -1 : 1;
  const amount = sign * Number(row.DocUnitCost) * Number(row.ScrVendorQty);
  const key = { VendorNum: row.VendorNum, InvoiceNum: row.InvoiceNum, InvoiceLine: invoice.lines.length + 1 };
  invoice.lines.push({
    line: { ...row, ...key, DocExtCost: amount, RowMod: '', SysRevID: 1 },
    expense: { ...key, InvExpSeq: 1, DocExpAmt: amount, SysRevID: 1 },
    coding: {
      ...key,
      InvExpSeq: 1,
      RecordType: 'A',
      BookID: 'MAIN',
      COACode: 'MAIN',
      GLAccount: '9999',
      RowMod: '',
      SysRevID: 1,
    },
  });
  const total = invoice.lines.reduce((sum, { line }) => sum + Math.round(Number(line.DocExtCost) * 100), 0) / 100;
  invoice.head = { ...invoice.head, DocInvoiceAmt: total };
  return method(invoiceTables(invoice), { lUpdateRan: true, requiresUserInput: false, opMessage: '' });
}

// ── journals ─────────────────────────────────────────────────────────────────────────────────

function journalMethod(state: ScriptedEpicor, { operation, body }: Call, tables: Record<string, Row[]>): Reply {
  const groupId = String(body.groupID ?? body.inGroupID ?? body.GroupID ?? body.postGroupID ?? '');
  const group = state.glGroups.get(groupId);
  switch (operation) {
    case 'GLJrnGrpSvc/GetNewGLJrnGrpNoLock':
      return method({ GLJrnGrp: [{ GroupID: '', RowMod: 'A', SysRevID: 0 }] });
    case 'GLJrnGrpSvc/CheckFiscalYear':
    case 'GLJrnGrpSvc/ChangeEntryMode':
    case 'GLJrnGrpSvc/ChangeBookID':
    case 'GLJournalEntrySvc/PreUpdate':
      return method(tables, { RequiresUserInput: false });
    case 'GLJrnGrpSvc/Update': {
      const row = { ...GROUP, ...tables.GLJrnGrp?.[0], ActiveUserID: 'gateway', RowMod: '' };
      state.glGroups.set(String(tables.GLJrnGrp?.[0]?.GroupID), row);
      return method({ GLJrnGrp: [row] });
    }
    case 'GLJrnGrpSvc/GetByID':
      return group ? returned({ GLJrnGrp: [group] }) : absent();
    case 'GLJrnGrpSvc/UnlockGroup':
      if (group) group.ActiveUserID = '';
      return { json: {} };
    case 'GLJrnGrpSvc/DeleteByID':
      return state.glGroups.delete(groupId) ? { json: {} } : absent();
    case 'GLJrnGrpSvc/CheckBeforePost':
      return { json: {} };
    case 'GLJrnGrpSvc/PostGroupJournals':
      return postJournals(state, groupId);
    case 'GLJournalEntrySvc/GetNewGlJrnHedTran':
      return method({
        GLJrnHed: [
          {
            BookID: 'MAIN',
            FiscalYear: 2026,
            FiscalYearSuffix: '',
            FiscalCalendarID: 'MAIN',
            JournalCode: 'GJ',
            JournalNum: 0,
            GroupID: groupId,
            RowMod: 'A',
            SysRevID: 0,
          },
        ],
      });
    case 'GLJournalEntrySvc/GetNewGLJrnDtlMnl':
      return method({
        ...tables,
        GLJrnDtlMnl: [{ JournalNum: body.journalNum, JournalLine: 0, RowMod: 'A', SysRevID: 0 }],
      });
    case 'GLJournalEntrySvc/Update':
      return saveJournal(state, tables);
    case 'GLJournalEntrySvc/GetByGroupID': {
      const drafts = state.drafts.filter(({ head }) => head.GroupID === groupId);
      return returned({ GLJrnHed: drafts.map(({ head }) => head), GLJrnDtlMnl: drafts.flatMap(({ lines }) => lines) });
    }
    case 'GLJournalEntrySvc/DeleteByID': {
      const index = state.drafts.findIndex(({ head }) => Number(head.JournalNum) === Number(body.journalNum));
      if (index < 0) return absent();
      state.drafts.splice(index, 1);
      return { json: {} };
    }
    default:
      return epicorError(404, 'Service not found.', 'Epicor.RESTApi.ErrorHandling.ApiException');
  }
}

let journals = 1000;

function saveJournal(state: ScriptedEpicor, tables: Record<string, Row[]>): Reply {
  const [head] = tables.GLJrnHed ?? [];
  if (head?.RowMod === 'A') {
    journals += 1;
    const stored = { ...head, JournalNum: journals, RowMod: '', SysRevID: 1 };
    state.drafts.push({ head: stored, lines: [] });
    return method({ GLJrnHed: [stored] });
  }
  const draft = state.drafts.find((one) => one.head.JournalNum === head?.JournalNum);
  const row = tables.GLJrnDtlMnl?.find(({ RowMod }) => RowMod === 'A');
  if (!draft || !row) return absent();
  draft.lines.push({ ...row, JournalLine: draft.lines.length + 1, RowMod: '', InvalidGLAccount: false, SysRevID: 1 });
  return method({ GLJrnHed: [draft.head], GLJrnDtlMnl: draft.lines });
}

function postJournals(state: ScriptedEpicor, groupId: string): Reply {
  for (const draft of state.drafts.filter(({ head }) => head.GroupID === groupId)) {
    const cents = draft.lines.reduce((sum, line) => sum + Math.round(Number(line.TransAmt) * 100), 0);
    if (cents !== 0) return { json: { parameters: { NotAllPostedMessage: 'Out of Balance transactions' } } };
    state.drafts.splice(state.drafts.indexOf(draft), 1);
    state.glGroups.delete(groupId);
    for (const line of draft.lines) {
      const amount = Number(line.TransAmt);
      state.posted.push({
        ...draft.head,
        JournalLine: line.JournalLine,
        Description: line.Description,
        GLAccount: line.GLAccount,
        DebitAmount: Math.max(amount, 0),
        CreditAmount: Math.max(-amount, 0),
      });
    }
  }
  return { json: { parameters: { NotAllPostedMessage: '' } } };
}
