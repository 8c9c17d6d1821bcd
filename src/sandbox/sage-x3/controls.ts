import { z } from 'zod';
import {
  answerLedgerControl,
  type ControlledLedger,
  type Exchange,
  json,
  parseControlBody,
  parseInput,
  type SandboxReply,
  type SandboxRequest,
} from '../kit/index.js';
import type { SageX3Access } from './access.js';
import type { X3Company } from './company.js';
import type { X3Pool } from './pools.js';
import { type SageX3Settings, type SageX3SettingsInput, sageX3SettingsSchema } from './settings.js';
import type { X3Programs } from './subprograms.js';
import type { X3Tokens } from './tokens.js';
import { entryViews, summaryOf } from './views.js';

const dimensionSchema = z.strictObject({ type: z.string().min(1), code: z.string().min(1), active: z.boolean() });
const repeatSchema = z.strictObject({ times: z.int().min(0) });
/** Operations that may change something. */
const WRITES = /^(SOAP (run|save)|REST POST|GraphQL mutation) /;
const patchSchema = z.record(z.string(), z.unknown());

/** What a person at the customer's can do beside the API, and what tests look at. */
export class X3Controls implements ControlledLedger {
  private repeats = 0;

  constructor(
    private readonly company: X3Company,
    private readonly settings: SageX3Settings,
    private readonly tokens: X3Tokens,
    private readonly programs: X3Programs,
    private readonly pool: X3Pool,
    private readonly requests: Map<string, number>,
    private readonly access: () => SageX3Access,
  ) {}

  documents(reference?: string) {
    this.programs.runDue();
    return entryViews(this.company, reference);
  }

  summary() {
    this.programs.runDue();
    return summaryOf(this.company, this.requests);
  }

  suppliers() {
    return [...this.company.suppliers.above()].map(({ code, fields, active }) => ({
      code,
      name: fields.get('BPSNAM') ?? '',
      active,
    }));
  }

  setPeriodOpen(day: string, open: boolean): void {
    this.company.setPeriodOpen(day, open);
  }

  setAccountActive(code: string, active: boolean): void {
    this.company.setAccountActive(code, active);
  }

  setSupplierActive(code: string, active: boolean): void {
    this.company.setSupplierActive(code, active);
  }

  setDimensionActive(type: string, code: string, active: boolean): void {
    this.company.setDimensionActive(type, code, active);
  }

  expireSessions(): number {
    return this.tokens.endAll();
  }

  revokeRefreshTokens(): number {
    return this.tokens.revokeRefreshTokens();
  }

  /** Does the batch imports that wait, whether they are due or not. @returns how many. */
  runBatches(): number {
    return this.programs.runDue(true);
  }

  /** Each of the next writes is done twice. */
  repeatNextWrites(times: number): void {
    this.repeats = times;
  }

  /** @returns the exchange, done twice when it is one of the next writes that are repeated. */
  repeated(exchange: Exchange): Exchange {
    if (this.repeats === 0 || !WRITES.test(exchange.operation)) return exchange;
    this.repeats -= 1;
    const commit = async (): Promise<SandboxReply> => {
      await exchange.commit();
      return exchange.commit();
    };
    return { ...exchange, commit };
  }

  /** Nested settings such as `template` and `groups` are merged one level deep. @throws InputError naming the field. */
  changeSettings(patch: SageX3SettingsInput): void {
    const merged: Record<string, unknown> = { ...this.settings };
    for (const [name, value] of Object.entries(patch)) {
      if (value === undefined) continue;
      const held = merged[name];
      merged[name] = isPlain(held) && isPlain(value) ? { ...held, ...value } : value;
    }
    Object.assign(this.settings, parseInput(sageX3SettingsSchema, merged));
  }

  reset(): void {
    this.company.reset();
    this.tokens.reset();
    this.programs.reset();
    this.pool.cool();
    this.requests.clear();
    this.repeats = 0;
  }

  /** Answers a request below `/_sandbox/`; undefined when there is no such control. */
  answer(route: string, request: SandboxRequest): SandboxReply | undefined {
    const shared = answerLedgerControl(this, route, request);
    if (shared !== undefined) return shared;
    switch (`${request.method} ${route}`) {
      case 'GET access':
        return json(200, this.access());
      case 'GET settings':
        return json(200, this.settings);
      case 'POST settings':
        this.changeSettings(parseControlBody(patchSchema, request));
        return json(200, this.settings);
      case 'POST dimensions': {
        const { type, code, active } = parseControlBody(dimensionSchema, request);
        this.setDimensionActive(type, code, active);
        return json(200, { type, code, active });
      }
      case 'POST batches':
        return json(200, { done: this.runBatches() });
      case 'POST repeats': {
        const { times } = parseControlBody(repeatSchema, request);
        this.repeatNextWrites(times);
        return json(200, { times });
      }
      case 'DELETE refresh-tokens':
        return json(200, { ended: this.revokeRefreshTokens() });
      default:
        return undefined;
    }
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
