import { UpstreamUnavailableError } from '../../errors.js';
import type { ConnectionContext } from '../contract.js';
import { type HttpClient, type HttpReply, headerOf, type QueryPairs, readFault, TransportFault } from '../http.js';
import type { SysproCredentials, SysproSettings } from './config.js';
import { logonFailure, textErrorOf, withoutSecrets } from './failures.js';
import { decodeBody, unwrap } from './xml.js';

export const TITLE = 'SYSPRO';

/** A reply's text without the wrappings that installations differ in. */
export function textOf(reply: HttpReply): string {
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(headerOf(reply, 'content-type') ?? '')?.[1] ?? null;
  return unwrap(decodeBody(reply.body, charset));
}

/**
 * The one login of an operator. A second logon of the same operator ends the first, in whatever process it was, so all
 * processes share one through `SharedSession` and only one at a time logs on. How long an idle session lives is a
 * setting of the site that cannot be read: a session is used until the ledger refuses it, and then renewed.
 */
export class SysproSession {
  constructor(
    private readonly context: ConnectionContext<SysproCredentials, SysproSettings>,
    private readonly http: HttpClient,
  ) {}

  /** @throws CredentialsError, UpstreamUnavailableError nobody could be logged in. */
  async token(): Promise<string> {
    return (await this.context.session.current()) ?? (await this.renew(null));
  }

  /** @param stale the session that was refused; another process may have replaced it already. */
  async renew(stale: string | null): Promise<string> {
    return this.context.session.renew(stale, async () => ({ token: await this.logon(), expiresAt: null }));
  }

  /** Logs off, so that the licence seat is free. Does nothing when nobody is logged in. */
  async end(): Promise<void> {
    const token = await this.context.session.current();
    if (token !== null) await this.context.session.end(token, (ended) => this.logoff(ended));
  }

  /** What must not stand in any text that leaves the connector. */
  async secrets(token: string | null): Promise<string[]> {
    const credentials = await this.context.credentials.read();
    return [token ?? '', credentials.operatorPassword, credentials.companyPassword ?? ''];
  }

  private async logon(): Promise<string> {
    const credentials = await this.context.credentials.read();
    const { settings } = this.context;
    const reply = await this.send(
      'Logon',
      [
        ['Operator', credentials.operator],
        ['OperatorPassword', credentials.operatorPassword],
        ['CompanyId', credentials.companyId],
        // The service accepts an empty password of the company, but not a missing one.
        ['CompanyPassword', credentials.companyPassword ?? ''],
        ['LanguageCode', settings.languageCode],
        ['LogLevel', '0'],
        ['EncoreInstance', '0'],
        ['XmlIn', ''],
      ],
      this.context.signal,
    );
    const text = textOf(reply);
    const refusal = textErrorOf(text);
    if (refusal !== null) {
      throw logonFailure(withoutSecrets(refusal, await this.secrets(null)), settings.errorPatterns);
    }
    // Ids differ in length and form between versions, so anything on one line that is not markup is one.
    if (reply.status !== 200 || text === '' || /[\r\n<>]/.test(text) || text.length > 256) {
      throw new UpstreamUnavailableError(
        `SYSPRO answered the logon with something that is not a session (HTTP ${reply.status}).`,
        { code: 'LOGON_UNREADABLE', detail: { status: reply.status } },
      );
    }
    this.context.logger.info({ companyId: credentials.companyId }, 'logged on to SYSPRO');
    return text;
  }

  private async logoff(token: string): Promise<void> {
    const text = textOf(await this.send('Logoff', [['UserId', token]]));
    // A session that the ledger has ended already is as good as logged off.
    if (textErrorOf(text) !== null) this.context.logger.debug('SYSPRO had ended the session before the log-off');
  }

  private async send(path: string, query: QueryPairs, signal?: AbortSignal): Promise<HttpReply> {
    try {
      return await this.http.send({
        method: 'GET',
        path,
        query,
        signal,
        timeoutMs: this.context.settings.readTimeoutSeconds * 1000,
      });
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, TITLE) : error;
    }
  }
}
