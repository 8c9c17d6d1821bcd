import { postApInvoices } from './apstin.js';
import { browseRows, editKey, fetchRow, findRows, translateMessage } from './dataAccess.js';
import { type BusinessContext, type QueryObject, readDocument, readParameters, type WriteObject } from './documents.js';
import { EnetError, OBSERVED } from './failures.js';
import { postGlJournal } from './gentjl.js';
import {
  listAccounts,
  queryIntegration,
  queryLedger,
  queryLedgerCode,
  queryLedgerSetup,
  queryPreviousPeriods,
  zoomJournal,
} from './ledgerQueries.js';
import { querySupplier, setupSupplier } from './suppliers.js';

interface Writing {
  /** Root of both documents, the parameters and the items. */
  root: string;
  run: WriteObject;
}

const QUERIES: ReadonlyMap<string, { root: string; run: QueryObject }> = new Map(
  Object.entries({
    APSQRY: { root: 'Query', run: querySupplier },
    COMBRW: { root: 'Browse', run: browseRows },
    COMFCH: { root: 'Fetch', run: fetchRow },
    COMFND: { root: 'Query', run: findRows },
    COMQER: { root: 'Query', run: translateMessage },
    COMQKY: { root: 'Query', run: editKey },
    GENQ08: { root: 'Query', run: listAccounts },
    GENQGL: { root: 'Query', run: queryLedgerCode },
    GENQPP: { root: 'Query', run: queryPreviousPeriods },
    GENQRY: { root: 'Query', run: queryLedger },
    GENQSI: { root: 'Query', run: queryIntegration },
    GENQSO: { root: 'Query', run: queryLedgerSetup },
    GENQZM: { root: 'Query', run: zoomJournal },
  }),
);

const TRANSACTIONS: ReadonlyMap<string, Writing> = new Map(
  Object.entries({
    APSTIN: { root: 'PostApInvoice', run: postApInvoices },
    GENTJL: { root: 'PostGlJournal', run: postGlJournal },
  }),
);

/** @throws EnetError the object is missing or not licensed, or the document cannot be read. */
export function runQuery(context: BusinessContext, businessObject: string, xmlIn: string): string {
  const query = QUERIES.get(businessObject.trim().toUpperCase());
  if (query === undefined) throw new EnetError(OBSERVED.noBusinessObject);
  return query.run(context, readDocument(xmlIn, query.root));
}

/** @throws EnetError the object is missing or not licensed, or a document cannot be read. */
export function runTransaction(
  context: BusinessContext,
  businessObject: string,
  xmlParameters: string,
  xmlIn: string,
): string {
  return runWrite(context, TRANSACTIONS.get(businessObject.trim().toUpperCase()), xmlParameters, xmlIn);
}

export type SetupAction = 'ADD' | 'UPDATE' | 'DELETE';

/** @throws EnetError the object is missing or not licensed, or a document cannot be read. */
export function runSetup(
  context: BusinessContext,
  action: SetupAction,
  businessObject: string,
  xmlParameters: string,
  xmlIn: string,
): string {
  const isSupplier = businessObject.trim().toUpperCase() === 'APSSSP';
  const writing = isSupplier ? { root: 'SetupApSupplier', run: setupSupplier(action) } : undefined;
  return runWrite(context, writing, xmlParameters, xmlIn);
}

function runWrite(
  context: BusinessContext,
  writing: Writing | undefined,
  xmlParameters: string,
  xmlIn: string,
): string {
  if (writing === undefined) throw new EnetError(OBSERVED.noBusinessObject);
  const parameters = readParameters(xmlParameters, writing.root);
  return writing.run(context, parameters, readDocument(xmlIn, writing.root));
}
