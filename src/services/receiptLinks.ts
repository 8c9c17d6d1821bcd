import type { SourceObject } from '../domain/spend.js';
import type { Tx } from '../entities/database.js';
import type { Engine } from './engine.js';

/**
 * Notes the receipts that objects of one page show, in the transaction that stores the page, and has them fetched at once:
 * a source's links live for minutes. A receipt whose fetching had been given up is tried again when its object changes;
 * one that an object shows no longer is not waited for, but what was stored of it stays.
 */
export async function noteReceipts(
  engine: Engine,
  tx: Tx,
  sourceId: string,
  objects: readonly SourceObject[],
): Promise<void> {
  const now = engine.clock.now();
  const rows = objects.flatMap(({ stream, externalId, receipts = [] }) =>
    receipts.map(({ key, fileName, lastingUrl }) => ({
      ...{ stream, external_id: externalId, receipt_key: key },
      ...{ file_name: fileName, lasting_url: lastingUrl },
    })),
  );
  await forgetOthers(tx, sourceId, objects);
  if (rows.length === 0) return;
  await tx.execute(
    `insert into receipt_links (tenant_id, source_id, stream, external_id, receipt_key, file_name, lasting_url, state,
       next_attempt_at, seen_at)
     select distinct on (stream, external_id, receipt_key) $1, $2, stream, external_id, receipt_key, file_name, lasting_url,
       'PENDING', $4::timestamptz, $4::timestamptz
     from jsonb_to_recordset($3::jsonb) as r(stream text, external_id text, receipt_key text, file_name text,
       lasting_url text)
     on conflict (tenant_id, source_id, stream, external_id, receipt_key) do update set
       file_name = excluded.file_name, lasting_url = excluded.lasting_url, seen_at = excluded.seen_at,
       state = case when receipt_links.sha256 is null then 'PENDING' else 'STORED' end,
       attempts = 0, note = null, next_attempt_at = excluded.next_attempt_at`,
    [tx.tenantId, sourceId, JSON.stringify(rows), now],
  );
  await engine.jobs.send(tx, 'source.receipts', { tenantId: tx.tenantId, sourceId });
}

async function forgetOthers(tx: Tx, sourceId: string, objects: readonly SourceObject[]): Promise<void> {
  const shown = objects.map(({ stream, externalId, receipts = [] }) => ({
    ...{ stream, external_id: externalId },
    keys: receipts.map(({ key }) => key),
  }));
  await tx.execute(
    `update receipt_links l set state = 'GONE', note = 'The source shows it no longer.'
     from jsonb_to_recordset($3::jsonb) as r(stream text, external_id text, keys jsonb)
     where l.tenant_id = $1 and l.source_id = $2 and l.stream = r.stream and l.external_id = r.external_id
       and l.state in ('PENDING', 'MISSING', 'REFUSED') and not r.keys ? split_part(l.receipt_key, '#', 1)`,
    [tx.tenantId, sourceId, JSON.stringify(shown)],
  );
}
