import { type Exchange, htmlPage, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { runQuery, runSetup, runTransaction, type SetupAction } from './businessObjects.js';
import type { SysproCompany } from './company.js';
import { decodeCp1252, encodeCp1252 } from './cp1252.js';
import { neighbourKey } from './dataAccess.js';
import { type BusinessContext, readDocument } from './documents.js';
import { EnetError } from './failures.js';
import type { Operator, SysproSessions } from './sessions.js';
import type { SysproSettings } from './settings.js';
import { answerDocument, escapeXml, leaves, parseXml } from './xml.js';

/** Where the service answers, in any case (SYSPRO e.net REST: base URL). */
export const REST_PATH = '/SYSPROWCFService/Rest';
const POST_LD_NAMESPACE = 'http://SYSPROWcfService';
const SERVER_HEADER = { server: 'Microsoft-HTTPAPI/2.0' };

/** The values of a call, by lower-case name. */
type CallValues = ReadonlyMap<string, string>;

interface Route {
  name: string;
  /** A parameter may be empty but not missing. */
  required: readonly string[];
  /** Without an operator the call needs no session. */
  run(call: Call): string;
  needsSession: boolean;
  /** Whether the answer's element names may come in lower case. */
  isTransaction?: boolean;
}

interface Call {
  value(name: string): string;
  /** @throws EnetError there is no live session. */
  context(): BusinessContext;
}

/** The REST surface of one installation: finds the operation, admits the session, and answers in SYSPRO's form. */
export class SysproRest {
  /** How often each operation was called, for tests and the summary. */
  readonly requests = new Map<string, number>();
  private readonly routes: ReadonlyMap<string, Route>;

  constructor(
    private readonly company: SysproCompany,
    private readonly sessions: SysproSessions,
    private readonly settings: SysproSettings,
  ) {
    this.routes = new Map(this.routeList().map((route) => [route.name.toLowerCase(), route]));
  }

  /** Prepares a call. The session is admitted now and the work is done by `commit`. */
  exchange(request: SandboxRequest): Exchange {
    const name = operationName(request.path);
    if (requestSize(request) > this.settings.urlLimitBytes)
      return refused(name ?? request.path, 414, 'Request-URI Too Long');
    if (name === 'transaction/postld') return this.postLd(request);
    const route = name === undefined ? undefined : this.routes.get(name);
    if (route === undefined) return refused(name ?? request.path, 404, 'Endpoint not found');
    if (request.method !== 'GET') return refused(route.name, 405, 'Method not allowed');
    const values = new Map([...request.query].map(([key, value]) => [key.toLowerCase(), value]));
    if (!route.required.every((parameter) => values.has(parameter.toLowerCase()))) {
      return refused(route.name, 400, 'Request Error');
    }
    return this.prepare(route, values);
  }

  private prepare(route: Route, values: CallValues): Exchange {
    const operation = `${route.name} ${values.get('businessobject') ?? ''}`.trim();
    this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1);
    const userId = values.get('userid') ?? '';
    let admitted = route.needsSession ? this.admit(userId) : undefined;
    return {
      operation,
      expireSession: () => {
        this.sessions.end(userId);
        if (route.needsSession) admitted = this.admit(userId);
      },
      serverError: () => ({ ...htmlPage(500, 'Request Error') }),
      commit: () => this.answer(route, values, admitted),
    };
  }

  /** @returns the operator, or the refusal that the call will get. */
  private admit(userId: string): Operator | EnetError {
    try {
      return this.sessions.use(userId);
    } catch (error) {
      if (error instanceof EnetError) return error;
      throw error;
    }
  }

  private answer(route: Route, values: CallValues, admitted: Operator | EnetError | undefined): SandboxReply {
    const call: Call = {
      value: (name) => values.get(name.toLowerCase()) ?? '',
      context: () => {
        if (admitted === undefined) throw new Error('A call without a session asked for its operator.');
        if (admitted instanceof EnetError) throw admitted;
        return { company: this.company, settings: this.settings, operator: admitted };
      },
    };
    try {
      const body = route.run(call);
      return this.reply(route.isTransaction && this.settings.lowerCaseOutput ? lowerCaseNames(body) : body);
    } catch (error) {
      if (error instanceof EnetError) return this.reply(error.body);
      throw error;
    }
  }

  /** Always 200 and an octet stream, also for errors (SYSPRO e.net REST: encoding, text errors). */
  private reply(body: string): SandboxReply {
    let text = body;
    if (this.settings.stringElement) {
      text = `<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">${escapeXml(text)}</string>`;
    }
    if (this.settings.jsonQuote) text = asciiJson(text);
    const headers = { 'content-type': 'application/octet-stream', ...SERVER_HEADER };
    return { status: 200, headers, body: encodeCp1252(text) };
  }

  /** `Transaction/PostLD`: the same call with its values in an XML body (SYSPRO e.net REST: large posts). */
  private postLd(request: SandboxRequest): Exchange {
    const name = 'Transaction/PostLD';
    if (!this.settings.postLd) return refused(name, 404, 'Endpoint not found');
    if (request.method !== 'POST') return refused(name, 405, 'Method not allowed');
    if (!String(request.headers['content-type'] ?? '').includes('xml'))
      return refused(name, 415, 'Unsupported media type');
    const root = parseXml(decodeBody(request.body));
    if (root?.name !== 'TransactionPostLD' || root.attributes.get('xmlns') !== POST_LD_NAMESPACE) {
      return refused(name, 400, 'Request Error');
    }
    const names = ['UserId', 'BusinessObject', 'XmlParameters', 'XmlIn'];
    if (!names.every((child) => root.child(child) !== undefined)) return refused(name, 400, 'Request Error');
    const values = new Map(names.map((child) => [child.toLowerCase(), root.child(child)?.text ?? '']));
    return this.prepare({ ...transactionRoute(name), required: [] }, values);
  }

  private routeList(): Route[] {
    const query = ['UserId', 'BusinessObject', 'XmlIn'];
    const plain = (name: string, run: () => string): Route => ({ name, required: [], needsSession: false, run });
    const session = (name: string, required: readonly string[], run: Route['run']): Route => ({
      name,
      required,
      run,
      needsSession: true,
    });
    const setup = (name: string, action: SetupAction): Route =>
      session(name, ['UserId', 'BusinessObject', 'XmlParameters', 'XmlIn'], (call) =>
        runSetup(
          call.context(),
          action,
          call.value('BusinessObject'),
          call.value('XmlParameters'),
          call.value('XmlIn'),
        ),
      );
    const keys = (step: 1 | -1): Route['run'] => {
      return (call) => neighbourKey(step)(call.context(), readDocument(call.value('XmlIn'), 'Keys'));
    };
    return [
      plain('GetVersion', () => '8.0.0.34'),
      plain('GetServiceName', () => 'SYSPRO 8 e.net Communications Service'),
      {
        name: 'Logon',
        required: ['Operator', 'OperatorPassword', 'CompanyId', 'CompanyPassword'],
        needsSession: false,
        run: (call) => this.logon(call),
      },
      session('GetLogonProfile', ['UserId'], (call) => this.profile(call.context())),
      session('Logoff', ['UserId'], (call) => {
        call.context();
        this.sessions.end(call.value('UserId'));
        return '0';
      }),
      session('Query/Query', query, (call) =>
        runQuery(call.context(), call.value('BusinessObject'), call.value('XmlIn')),
      ),
      session('Query/Browse', ['UserId', 'XmlIn'], (call) => runQuery(call.context(), 'COMBRW', call.value('XmlIn'))),
      session('Query/Fetch', ['UserId', 'XmlIn'], (call) => runQuery(call.context(), 'COMFCH', call.value('XmlIn'))),
      session('NextKey', ['UserId', 'XmlIn'], keys(1)),
      session('PreviousKey', ['UserId', 'XmlIn'], keys(-1)),
      setup('Setup/Add', 'ADD'),
      setup('Setup/Update', 'UPDATE'),
      setup('Setup/Delete', 'DELETE'),
      // No object that builds is part of this simulator, so each one is "not licensed".
      session('Transaction/Build', query, (call) => runTransaction(call.context(), '', '', '')),
      transactionRoute('Transaction/Post'),
    ];
  }

  private logon(call: Call): string {
    const options = call.value('XmlIn').trim();
    const failWhenLoggedIn = options !== '' && readDocument(options, 'Logon').value('FailWhenAlreadyLoggedIn') === 'Y';
    return this.sessions.logon({
      operator: call.value('Operator'),
      password: call.value('OperatorPassword'),
      companyId: call.value('CompanyId'),
      companyPassword: call.value('CompanyPassword'),
      failWhenLoggedIn,
    });
  }

  private profile({ company, operator }: BusinessContext): string {
    const { seed, companyDate } = company;
    return answerDocument(
      'UserInfo',
      leaves({
        CompanyName: seed.companyName,
        OperatorCode: operator.name,
        OperatorGroup: 'API',
        OperatorEmailAddress: '',
        OperatorLocation: '',
        OperatorLanguageCode: '05',
        SystemLanguage: '05',
        AccountingDate: companyDate,
        CompanyDate: companyDate,
        DefaultApBranch: seed.branches[0] ?? '',
        DefaultBank: seed.banks[0] ?? '',
        LocalCurrencyCode: seed.localCurrency,
        CurrencyDescription: 'Local currency',
        DecimalFormat: '1',
        DateFormat: '01',
        DatabaseType: 'SQL',
        SysproVersion: '8.0.034',
        EnetVersion: '8.0.0.34',
        SysproServerBitWidth: '64',
      }),
    );
  }
}

function transactionRoute(name: string): Route {
  return {
    name,
    required: ['UserId', 'BusinessObject', 'XmlParameters', 'XmlIn'],
    needsSession: true,
    isTransaction: true,
    run: (call) =>
      runTransaction(call.context(), call.value('BusinessObject'), call.value('XmlParameters'), call.value('XmlIn')),
  };
}

/** @returns the operation in lower case; undefined when the path is not below the service. */
function operationName(path: string): string | undefined {
  const base = `${REST_PATH.toLowerCase()}/`;
  const lower = path.toLowerCase();
  return lower.startsWith(base) ? lower.slice(base.length).replace(/\/+$/, '') : undefined;
}

/** Bytes of the request line and the headers, which HTTP.sys limits together. */
function requestSize(request: SandboxRequest): number {
  let size = request.method.length + request.target.length + ' HTTP/1.1\r\n'.length;
  for (const [name, value] of Object.entries(request.headers)) size += name.length + String(value).length + 4;
  return size;
}

function refused(operation: string, status: number, title: string): Exchange {
  const page = htmlPage(status, title);
  return { operation, commit: () => ({ ...page, headers: { ...page.headers, ...SERVER_HEADER } }) };
}

/** The body's own declaration says how it is encoded; without one it is UTF-8. */
function decodeBody(body: Buffer): string {
  const head = body.subarray(0, 200).toString('latin1');
  return /encoding\s*=\s*["']windows-1252["']/i.test(head) ? decodeCp1252(body) : body.toString('utf8');
}

function lowerCaseNames(xml: string): string {
  return xml.replace(
    /<(\/?)([A-Za-z][\w.-]*)/g,
    (_whole, slash: string, name: string) => `<${slash}${name.toLowerCase()}`,
  );
}

/** A JSON string in ASCII, so that it reads the same whatever charset the reader takes. */
function asciiJson(text: string): string {
  const quoted = JSON.stringify(text);
  let ascii = '';
  for (let index = 0; index < quoted.length; index += 1) {
    const code = quoted.charCodeAt(index);
    ascii += code < 0x7f ? quoted.charAt(index) : `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return ascii;
}
