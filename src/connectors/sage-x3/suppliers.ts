import { createHash } from 'node:crypto';
import { ConfigurationError, OutcomeUnknownError } from '../../errors.js';
import type { CreatesSuppliers, LedgerSupplier } from '../contract.js';
import type { SageX3Settings } from './config.js';
import { beforeWrite, fits, isUnclear, quote, rejectionOf, unclearWrite } from './failures.js';
import { fieldsOf, isObject } from './json.js';
import { supplierOf } from './masterData.js';
import type { Row, X3Reader } from './reader.js';
import type { RestApi } from './rest.js';
import type { SoapApi, SoapGroup } from './soap.js';
import type { X3Transport } from './transport.js';
import { fieldText, ledgerText } from './xml.js';

/** Creates suppliers. Never sends bank details; what a card feed knows about a merchant is no ground for paying it. */

const NAME_LENGTH = 35;
const SHORT_NAME_LENGTH = 10;
const HASH_LENGTH = 4;

interface Creation {
  readonly isOk: boolean;
  readonly messages: readonly string[];
  readonly code: string;
}

export interface SupplierParts {
  readonly transport: X3Transport;
  readonly reader: X3Reader;
  readonly soap: SoapApi;
  readonly rest: RestApi;
  readonly settings: SageX3Settings;
}

export class SageX3Suppliers implements CreatesSuppliers {
  constructor(private readonly parts: SupplierParts) {}

  codeFor(name: string): string {
    return supplierCode(name, this.parts.settings.suppliers.codeLength);
  }

  /** By its key; where X3 numbers suppliers itself, by our code in the marker field. */
  async find(code: string): Promise<LedgerSupplier | null> {
    const { reader, settings } = this.parts;
    const row = await reader.supplier(code);
    if (row !== null) return supplierOf(row);
    if (settings.suppliers.numbering === 'ours') return null;
    const [marked] = await reader.suppliersWith(settings.suppliers.markerField, code);
    return marked ? supplierOf(marked) : null;
  }

  async create(supplier: { code: string; name: string }): Promise<LedgerSupplier> {
    const { transport, settings } = this.parts;
    const { defaults, createBy, numbering } = settings.suppliers;
    if (!defaults.category) {
      throw new ConfigurationError(
        'Suppliers cannot be created in Sage X3 before the connection’s settings have suppliers.defaults.category.',
        { code: 'SUPPLIER_DEFAULTS_MISSING' },
      );
    }
    const deadline = performance.now() + settings.submitTimeoutSeconds * 1000;
    const fields = this.fieldsOf(supplier);
    const groups = createBy === 'soap-object' ? await beforeWrite(() => this.groupsOf(fields)) : [];
    const created = await transport.write(deadline, async (send): Promise<Creation> => {
      if (createBy === 'rest-object') return this.createByRest(send, fields);
      const answer = await this.parts.soap.write(send, 'save', settings.soap.suppliers, groups);
      const rows = answer.result.groups.flatMap((group) => group.rows);
      return { ...answer, code: rows.find((row) => row.BPSNUM)?.BPSNUM ?? '' };
    });
    if (!created.isOk) return this.refused(supplier.code, created.messages);
    const isNamed = numbering === 'ours' ? created.code === supplier.code : created.code !== '';
    if (!isNamed) {
      throw new OutcomeUnknownError(
        `Sage X3 answered the creation of supplier ${supplier.code} without its code. It must be asked whether it exists.`,
        { detail: { supplierCode: supplier.code, answered: created.code } },
      );
    }
    return {
      code: created.code,
      name: fields.BPSNAM ?? supplier.name,
      active: true,
      currency: defaults.currency ?? null,
    };
  }

  private fieldsOf(supplier: { code: string; name: string }): Row {
    const { suppliers } = this.parts.settings;
    const { defaults } = suppliers;
    return {
      BSGCOD: defaults.category ?? '',
      ...(suppliers.numbering === 'ours' ? { BPSNUM: supplier.code } : {}),
      BPSNAM: fieldText(supplier.name, NAME_LENGTH),
      BPSSHO: fieldText(supplier.name, SHORT_NAME_LENGTH),
      CUR: defaults.currency ?? '',
      PTE: defaults.paymentTerm ?? '',
      VACBPR: defaults.taxRule ?? '',
      ACCCOD: defaults.accountingCode ?? '',
      ...defaults.fields,
      [suppliers.markerField]: supplier.code,
    };
  }

  private async groupsOf(fields: Row): Promise<SoapGroup[]> {
    const { soap, settings } = this.parts;
    const { group, addressGroup, defaults } = settings.suppliers;
    const known = await soap.describe(settings.soap.suppliers);
    const groups = new Map<string, Record<string, string>>();
    for (const [name, value] of Object.entries(fields)) {
      if (value === '') continue;
      const id = known.get(name)?.[0] ?? group;
      groups.set(id, { ...groups.get(id), [name]: value });
    }
    const [column = ''] = Object.keys(defaults.address);
    return [
      ...[...groups].map(([id, values]) => ({ id, fields: values })),
      ...(column === '' ? [] : [{ id: known.get(column)?.[0] ?? addressGroup, rows: [defaults.address] }]),
    ];
  }

  private async createByRest(send: Parameters<RestApi['create']>[0], fields: Row): Promise<Creation> {
    const { rest, settings } = this.parts;
    const { facet, addressCollection, defaults } = settings.suppliers;
    const filled = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
    const hasAddress = Object.keys(defaults.address).length > 0;
    const body = { ...filled, ...(hasAddress ? { [addressCollection]: [defaults.address] } : {}) };
    const answer = await rest.create(send, { ...settings.rest.suppliers, facet }, body);
    const created = isObject(answer.body.$resource) ? answer.body.$resource : answer.body;
    return { isOk: answer.problems.length === 0, messages: answer.problems, code: fieldsOf(created).BPSNUM ?? '' };
  }

  /** "Already there" may be the answer to our own creation whose reply was lost, or to another process's. */
  private async refused(code: string, messages: readonly string[]): Promise<LedgerSupplier> {
    const { errorPatterns } = this.parts.settings;
    if (isUnclear(messages, errorPatterns)) {
      throw unclearWrite(`ended the creation of supplier ${code} with ${quote(messages) || 'no reason'}`, {
        supplierCode: code,
      });
    }
    if (messages.some((message) => fits(message, errorPatterns.duplicate))) {
      const existing = await this.find(code);
      if (existing) return existing;
    }
    throw rejectionOf(messages, errorPatterns);
  }
}

/**
 * Letters and digits of the name in upper case. A name that does not fit, or that loses characters no code can hold,
 * ends in a short hash, so that two long names with one beginning stay two suppliers.
 */
export function supplierCode(name: string, length: number): string {
  const plain = ledgerText(name).normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase();
  const letters = plain.replace(/[^A-Z0-9]/g, '');
  const isWhole = letters !== '' && letters.length <= length && !/[^\x20-\x7e]|\?/.test(plain);
  if (isWhole && /[A-Z]/.test(letters)) return letters;
  const identity = name.normalize('NFC').replace(/\s+/g, ' ').trim().toUpperCase();
  const hash = BigInt(`0x${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`)
    .toString(36)
    .toUpperCase()
    .padStart(HASH_LENGTH, '0')
    .slice(-HASH_LENGTH);
  const beginning = letters.slice(0, length - HASH_LENGTH);
  return `${/[A-Z]/.test(beginning) ? beginning : `V${beginning}`.slice(0, length - HASH_LENGTH)}${hash}`;
}
