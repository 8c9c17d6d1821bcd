import { InputError } from '../errors.js';
import type { Work } from './ground.js';

/** The id of a pipeline given by id or by name. @throws InputError naming those that there are. */
export async function pipelineId({ ground, caller }: Work, given: string): Promise<string> {
  const all = await ground.db.tenant(caller.tenantId, (tx) =>
    tx.query<{ id: string; name: string }>('select id, name from pipelines where tenant_id = $1 order by name', [
      tx.tenantId,
    ]),
  );
  const found = all.find((one) => one.id === given) ?? all.find((one) => one.name === given);
  if (found) return found.id;
  const known =
    all.length > 0 ? `There are: ${all.map((one) => `${one.name} (${one.id})`).join(', ')}.` : 'There is none yet.';
  throw new InputError(`There is no pipeline "${given}". ${known}`, ['pipeline']);
}
