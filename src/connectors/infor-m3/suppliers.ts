import { createHash } from 'node:crypto';
import { ConfigurationError } from '../../errors.js';
import type { CreatesSuppliers, LedgerSupplier } from '../contract.js';
import type { M3Client } from './client.js';
import { isDuplicate, writeRefused } from './failures.js';
import { plainText } from './mapper.js';
import { findSupplier, supplierOf } from './masterData.js';
import { written } from './writes.js';

/**
 * New suppliers: CRS620MI.CopyTemplate, then UpdSupplier with the name. What a release wants of a supplier differs and is
 * long; a template that the customer keeps has all of it. Bank details are never sent.
 */

const CODE_LENGTH = 10;
const NAME_LENGTH = 36;
const HASH_LENGTH = 4;

export class M3Suppliers implements CreatesSuppliers {
  constructor(private readonly client: M3Client) {}

  codeFor(name: string): string {
    return supplierCode(name);
  }

  /**
   * A copy that still has the template's name is one whose creation broke off between its two calls. It counts as not
   * there yet, so that `create` is asked, which finishes it.
   */
  async find(code: string): Promise<LedgerSupplier | null> {
    const row = await findSupplier(this.client, code);
    if (row === null) return null;
    const template = this.client.settings.supplierDefaults?.template;
    if (template !== undefined && template !== code) {
      const original = await findSupplier(this.client, template);
      if (original !== null && original.SUNM !== '' && original.SUNM === row.SUNM) return null;
    }
    return supplierOf(row, this.client.settings);
  }

  async create(supplier: { code: string; name: string }): Promise<LedgerSupplier> {
    const { settings } = this.client;
    const { template, type } = settings.supplierDefaults ?? {};
    if (template === undefined) {
      throw new ConfigurationError(
        'Suppliers cannot be created in Infor M3 before the setting supplierDefaults.template names the supplier that they are copied from.',
        { code: 'SUPPLIER_DEFAULTS_MISSING', detail: { missing: ['supplierDefaults.template'] } },
      );
    }
    const deadline = performance.now() + settings.submitTimeoutSeconds * 1000;
    const copy = { STEM: template, SUNO: supplier.code, SUTY: type };
    const answer = await this.client.write('CRS620MI', 'CopyTemplate', copy, deadline);
    if ('refusal' in answer && !isDuplicate(answer.refusal, settings.errorPatterns)) {
      throw writeRefused('CRS620MI.CopyTemplate', answer.refusal, settings.errorPatterns);
    }
    if ('refusal' in answer) {
      // It is there: somebody's own, or a copy that was never finished. Only that is given a name.
      const existing = await this.find(supplier.code);
      if (existing !== null) return existing;
    }
    const name = plainText(supplier.name).slice(0, NAME_LENGTH);
    await written(this.client, 'CRS620MI', 'UpdSupplier', { SUNO: supplier.code, SUNM: name }, deadline);
    const row = await findSupplier(this.client, supplier.code);
    if (row !== null) return supplierOf(row, settings);
    return { code: supplier.code, name, active: true, currency: null };
  }
}

/** Capitals and digits of the name; a short hash where something did not fit, so that two long names stay two. */
export function supplierCode(name: string): string {
  const plain = plainText(name).normalize('NFKD').toUpperCase();
  const letters = plain.replace(/[^A-Z0-9]/g, '');
  const hasOthers = /[^\x20-\x7e]/.test(plain.replace(/\p{M}/gu, ''));
  if (letters !== '' && letters.length <= CODE_LENGTH && !hasOthers && /[A-Z]/.test(letters)) return letters;
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, 12);
  const hash = BigInt(`0x${digest}`).toString(36).toUpperCase().padStart(HASH_LENGTH, '0').slice(-HASH_LENGTH);
  const beginning = letters.slice(0, CODE_LENGTH - HASH_LENGTH);
  return `${/[A-Z]/.test(beginning) ? beginning : `V${beginning}`.slice(0, CODE_LENGTH - HASH_LENGTH)}${hash}`;
}
