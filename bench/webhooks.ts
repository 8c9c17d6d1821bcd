import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';
import { Webhook } from 'svix';
import type { BenchGround } from './ground.js';
import { type Comparison, inTurns } from './measure.js';

const ROUNDS = 4;
const CONNECTIONS = 10;

/** Answers to genuine deliveries, none of them a repeat. */
export async function benchWebhooks(ground: BenchGround, seconds: number, secret: string): Promise<Comparison> {
  const api = ground.startApi();
  const url = await api.ready;
  const bare = await ground.startBare('webhooks', { WEBHOOK_SECRET: secret });
  const webhook = new Webhook(secret);
  const body = JSON.stringify({
    event_type: 'ACCOUNTING_RECORD_READY_FOR_EXPORT',
    accountingRecordIds: ['accr_1', 'accr_2', 'accr_3'],
    companyId: ground.access.brex.companyId,
  });
  const window = async (target: string): Promise<number> => {
    const result = await autocannon({
      ...{ url: target, connections: CONNECTIONS, duration: seconds },
      requests: [
        {
          method: 'POST',
          setupRequest: (request) => {
            const id = `msg_${randomUUID()}`;
            const at = new Date();
            const headers = {
              'content-type': 'application/json',
              'webhook-id': id,
              'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
              'webhook-signature': webhook.sign(id, at, body),
            };
            return { ...request, body, headers };
          },
        },
      ],
    });
    if (result.non2xx + result.errors > 0)
      throw new Error(`${target} refused ${result.non2xx + result.errors} requests.`);
    return result['2xx'] / result.duration;
  };
  try {
    const measured = await inTurns(
      ROUNDS,
      () => window(`${url}/webhooks/${ground.flow.brexId}`),
      () => window(`${bare.url}/webhooks`),
    );
    const { rows } = await ground.pool.query<{ count: number }>(
      'select count(*)::int as count from webhook_deliveries',
    );
    const how =
      `${ROUNDS} rounds of ${seconds} s each, in turns, ${CONNECTIONS} connections, each delivery with an id and a signature of its own ` +
      `(${rows[0]?.count ?? 0} stored). Gateway: find the system, open its secret, verify, store, audit event, job, answer. ` +
      'Bare: node:http, svix verifies, pg inserts one row.';
    return { name: 'Webhook answers', unit: 'answers/s', ...measured, how };
  } finally {
    await bare.stop();
    await api.stop();
  }
}
