import { ErpRejectedError } from '../../errors.js';
import type { KineticSettings } from './config.js';
import type { Row } from './json.js';

/**
 * GL accounts: segment values in physical order, joined by `|`, empty ones at the end left out (`6400|00|20`). The form
 * that people see is joined by another sign in another order and is never written.
 */

export const COST_CENTRE = 'costCentre';
const SEPARATOR = '|';
const SEGMENTS_MAX = 20;

type AccountSettings = Pick<KineticSettings, 'glSegmentOrder' | 'segmentDefaults' | 'dynamicSegments'>;

export interface CodedLine {
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions?: Readonly<Record<string, string>>;
}

/** The account a line is posted to. */
export function accountOf(line: CodedLine, settings: AccountSettings): string {
  // Clearing accounts, and accounts that were coded whole at the source, carry their segments already.
  if (line.glAccount.includes(SEPARATOR)) return trimmed(line.glAccount.split(SEPARATOR));
  return trimmed(settings.glSegmentOrder.map((name) => segmentOf(name, line, settings)));
}

/** The account as the chart of accounts lists it: without segments that combine freely. */
export function listedAccountOf(line: Omit<CodedLine, 'dimensions'>, settings: AccountSettings): string {
  if (line.glAccount.includes(SEPARATOR)) {
    const segments = line.glAccount.split(SEPARATOR);
    return trimmed(segments.filter((_value, index) => !isDynamic(settings.glSegmentOrder[index], settings)));
  }
  const fixed = settings.glSegmentOrder.filter((name) => !isDynamic(name, settings));
  return trimmed(fixed.map((name) => segmentOf(name, line, settings)));
}

function isDynamic(name: string | undefined, settings: AccountSettings): boolean {
  return name !== undefined && settings.dynamicSegments.includes(name);
}

function segmentOf(name: string, line: CodedLine, settings: AccountSettings): string {
  if (name === 'glAccount') return line.glAccount;
  const own = name === COST_CENTRE ? line.costCentre : line.dimensions?.[name];
  return own || settings.segmentDefaults[name] || '';
}

function trimmed(segments: readonly string[]): string {
  const values = segments.map((value) => value.trim());
  while (values.length > 1 && values.at(-1) === '') values.pop();
  return values.join(SEPARATOR);
}

/** The same account, whether empty segments at its end are written or not. */
export function sameAccount(a: string, b: string): boolean {
  return trimmed(a.split(SEPARATOR)).toUpperCase() === trimmed(b.split(SEPARATOR)).toUpperCase();
}

/**
 * `GLAccount` and the matching `SegValueN`, which are written together (Epicor REST: accounts). Segments that the account
 * does not have are written empty: the server's own default coding of a new line may have put something there.
 */
export function accountColumns(account: string): Row {
  const segments = account.split(SEPARATOR);
  if (segments.length > SEGMENTS_MAX) {
    throw new ErpRejectedError(`The account ${account} has more than ${SEGMENTS_MAX} segments. Nothing was sent.`, {
      code: 'ACCOUNT_FORM',
    });
  }
  const values = Array.from({ length: SEGMENTS_MAX }, (_, index) => [`SegValue${index + 1}`, segments[index] ?? '']);
  return { GLAccount: account, ...Object.fromEntries(values) };
}
