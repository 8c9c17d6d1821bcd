import { z } from 'zod';
import { json, type SandboxReply, type SandboxRequest } from './http.js';
import type { LedgerSandbox } from './ledger.js';
import { parseControlBody } from './server.js';

const PAGE_ROWS = 100;
const periodSchema = z.strictObject({ on: z.iso.date(), open: z.boolean() });
const activeSchema = z.strictObject({ code: z.string().min(1), active: z.boolean() });

/** The part of a ledger that the shared controls drive. */
export type ControlledLedger = Omit<LedgerSandbox, 'url' | 'baseUrl' | 'faults' | 'close'>;

/**
 * Answers the controls that every simulated ledger has below `/_sandbox/`: `GET documents` (`reference=`, or `offset=` and
 * `limit=`), `GET summary`, `GET suppliers`, `POST periods` (`{ on, open }`), `POST accounts` and `POST suppliers`
 * (`{ code, active }`), `DELETE sessions`, `POST reset`.
 * @returns undefined when the route is none of them: the sandbox's own controls come next.
 * @throws InputError naming the unusable field.
 */
export function answerLedgerControl(
  ledger: ControlledLedger,
  route: string,
  request: SandboxRequest,
): SandboxReply | undefined {
  switch (`${request.method} ${route}`) {
    case 'GET documents':
      return json(200, documentsAsked(ledger, request.query));
    case 'GET summary':
      return json(200, ledger.summary());
    case 'GET suppliers':
      return json(200, { suppliers: ledger.suppliers() });
    case 'POST periods': {
      const { on, open } = parseControlBody(periodSchema, request);
      ledger.setPeriodOpen(on, open);
      return json(200, { on, open });
    }
    case 'POST accounts': {
      const { code, active } = parseControlBody(activeSchema, request);
      ledger.setAccountActive(code, active);
      return json(200, { code, active });
    }
    case 'POST suppliers': {
      const { code, active } = parseControlBody(activeSchema, request);
      ledger.setSupplierActive(code, active);
      return json(200, { code, active });
    }
    case 'DELETE sessions':
      return json(200, { ended: ledger.expireSessions() });
    case 'POST reset':
      ledger.reset();
      return json(200, ledger.summary());
    default:
      return undefined;
  }
}

function documentsAsked(ledger: ControlledLedger, query: URLSearchParams) {
  const all = ledger.documents(query.get('reference') ?? undefined);
  const offset = Number(query.get('offset') ?? 0) || 0;
  const limit = Number(query.get('limit') ?? PAGE_ROWS) || PAGE_ROWS;
  return { total: all.length, documents: all.slice(offset, offset + limit) };
}
