import { ErpRejectedError, type LedgergateError } from '../../errors.js';
import type { M3Client } from './client.js';
import { TITLE } from './failures.js';
import { listAsFarAs, truncated } from './lists.js';
import { fieldRow } from './wire.js';

/**
 * Which transactions and fields this release has: MRS001MI.LstFields. Field lists differ between releases, and sending a
 * field that a transaction does not have is refused, or worse, passed over in silence.
 */

export interface TransactionFields {
  /** Length by field name. */
  readonly inputs: ReadonlyMap<string, number>;
  readonly mandatory: readonly string[];
}

/** A release changes by an update at night; asked again after this time. */
const KEPT_MS = 60 * 60_000;

export class M3Discovery {
  private readonly known = new Map<string, { at: number; fields: Promise<TransactionFields | null> }>();

  constructor(
    private readonly client: M3Client,
    private readonly now: () => number,
  ) {}

  /** null = this release has no such transaction. A failed question is forgotten. */
  fieldsOf(program: string, transaction: string): Promise<TransactionFields | null> {
    const key = `${program}.${transaction}`;
    const kept = this.known.get(key);
    if (kept && this.now() - kept.at < KEPT_MS) return kept.fields;
    const fields = this.read(program, transaction).catch((error: unknown) => {
      this.known.delete(key);
      throw error;
    });
    this.known.set(key, { at: this.now(), fields });
    return fields;
  }

  async has(program: string, transaction: string): Promise<boolean> {
    return (await this.fieldsOf(program, transaction)) !== null;
  }

  /** Asked anew, whatever is remembered. */
  forget(): void {
    this.known.clear();
  }

  private async read(program: string, transaction: string): Promise<TransactionFields | null> {
    const call = {
      program: 'MRS001MI',
      transaction: 'LstFields',
      inputs: { MINM: program, TRNM: transaction, TRTP: 'I' },
      schema: fieldRow,
    };
    const { rows, isWhole } = await listAsFarAs(this.client, call);
    if (!isWhole) throw truncated(call, rows.length);
    if (rows.length === 0) return null;
    return {
      inputs: new Map(rows.map((row) => [row.FLNM, Number.parseInt(row.LENG, 10) || 0])),
      mandatory: rows.filter((row) => row.MAND === '1' || /^(y|true)$/i.test(row.MAND)).map((row) => row.FLNM),
    };
  }
}

export type Values = Readonly<Record<string, string | undefined>>;

/**
 * The values as this release takes them: optional ones that it does not know are left off, needed ones must be known and
 * fit. Whatever is refused here was not sent.
 * @param needed fields without which the document would not be the one that was planned.
 */
export function fitted(
  operation: string,
  fields: TransactionFields | null,
  values: Values,
  needed: readonly string[],
): Record<string, string> {
  if (fields === null) throw missing(operation, 'this release of M3 does not have it');
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === '') continue;
    const length = fields.inputs.get(name);
    if (length === undefined) {
      if (needed.includes(name)) throw missing(operation, `this release has no field ${name} there`);
      continue;
    }
    if (length > 0 && value.length > length) throw missing(operation, `"${value}" is longer than ${name} (${length})`);
    sent[name] = value;
  }
  const unset = fields.mandatory.filter((name) => sent[name] === undefined && name !== 'CONO');
  if (unset.length > 0) throw missing(operation, `this release also wants ${unset.join(', ')}, which no setting gives`);
  return sent;
}

function missing(operation: string, reason: string): LedgergateError {
  return new ErpRejectedError(
    `The document cannot be sent to ${TITLE} with ${operation}: ${reason}. Nothing was sent.`,
    {
      code: 'RELEASE_LACKS_FIELD',
      detail: { operation },
    },
  );
}
