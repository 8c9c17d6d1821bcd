import type { LocalDate } from '../../domain/localDate.js';
import { LedgergateError } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { KineticClient } from './client.js';
import { classOf, isRefusal, refused, unreadableWrite } from './failures.js';
import { type MethodReply, rowsOf } from './replies.js';
import { type GroupRow, groupRow } from './wire.js';
import { Work } from './work.js';

/** The two services for groups differ in their names, down to the case of a letter. */
export interface GroupService {
  readonly service: string;
  readonly table: string;
  readonly unlockParameter: string;
}

export const AP_GROUPS: GroupService = {
  service: 'Erp.BO.APInvGrpSvc',
  table: 'APInvGrp',
  unlockParameter: 'InGroupID',
};
export const GL_GROUPS: GroupService = {
  service: 'Erp.BO.GLJrnGrpSvc',
  table: 'GLJrnGrp',
  unlockParameter: 'inGroupID',
};

/**
 * The groups that documents are entered in. Each document has one of its own, whose ID is made from its reference, so that
 * a run that died leaves nothing that the next one cannot find.
 */
export class Groups {
  constructor(
    private readonly client: KineticClient,
    private readonly kind: GroupService,
    private readonly logger: Logger,
  ) {}

  /** @returns null when there is none. */
  async read(groupId: string, work?: Work): Promise<GroupRow | null> {
    const reply = await this.client.read(this.kind.service, 'GetByID', { groupID: groupId }, work);
    return reply ? (rowsOf(reply.tables, this.kind.table, groupRow)[0] ?? null) : null;
  }

  /**
   * Makes a group that is new and of the right date. One that a dead run left goes first, because its date is fixed.
   * @param groupIds what it may be called, in order.
   * @param isFree whether the documents in a group that exists let us have it.
   * @throws ErpRejectedError somebody holds it, or all names are taken.
   */
  async open(
    groupIds: readonly string[],
    work: Work,
    isFree: (groupId: string) => Promise<boolean>,
    create: (groupId: string) => Promise<void>,
  ): Promise<string> {
    for (const groupId of groupIds) {
      const left = await this.read(groupId, work);
      if (left !== null) {
        if (!(await isFree(groupId))) continue;
        await this.remove(left, work);
      }
      await this.createOnce(groupId, work, create);
      return groupId;
    }
    throw refused(`its groups ${groupIds.join(' and ')} hold other documents; change groupIdPrefix`, 'other');
  }

  /** Takes a group away, lock and all. @throws ErpRejectedError another user has it open, or the ledger keeps it. */
  async remove(group: GroupRow, work: Work): Promise<void> {
    await this.release(group, work);
    await this.client.write(this.kind.service, 'DeleteByID', { groupID: group.GroupID }, work, { isVoid: true });
  }

  /** Lets go of a lock of our own. @throws ErpRejectedError the lock is another user's. */
  async release(group: GroupRow, work: Work): Promise<void> {
    if (group.ActiveUserID === '') return;
    if (group.CreatedBy !== '' && group.ActiveUserID.toUpperCase() !== group.CreatedBy.toUpperCase()) {
      throw refused(`group ${group.GroupID} is open at the user ${group.ActiveUserID}`, 'other');
    }
    await this.unlock(group.GroupID, work);
  }

  /** Lets go of a group, whatever became of its document. Never fails: what it cannot do, the next run does. */
  async leave(groupId: string, work: Work): Promise<void> {
    try {
      await this.unlock(groupId, work);
    } catch (error) {
      if (!(error instanceof LedgergateError)) throw error;
      // Posting and taking back remove the group itself.
      if (isRefusal(error)) return;
      this.logger.warn({ groupId, code: error.code }, 'a group could not be unlocked');
    }
  }

  /** A run that died between its last write and the unlocking left a whole document that nobody else can open. */
  async tidy(groupId: string, settings: { readonly writeTimeoutSeconds: number }): Promise<void> {
    const group = await this.read(groupId);
    const isOurs = group !== null && group.ActiveUserID.toUpperCase() === group.CreatedBy.toUpperCase();
    if (isOurs && group.ActiveUserID !== '') await this.leave(groupId, new Work(settings.writeTimeoutSeconds * 1000));
  }

  /**
   * Lets go of a group so that it can be posted: nothing is posted while anybody has its group open.
   * @throws ErpRejectedError another user has it open. Otherwise like a write.
   */
  async makeFree(groupId: string, work: Work): Promise<void> {
    const { isEmpty } = await this.unlock(groupId, work);
    const group = await this.read(groupId, work);
    if (group === null || group.ActiveUserID === '') return;
    if (isEmpty) throw unreadableWrite(`${this.kind.service}/UnlockGroup`, 'an empty body, and holds the group still');
    throw refused(`group ${groupId} is open at the user ${group.ActiveUserID}`, 'other');
  }

  private unlock(groupId: string, work: Work): Promise<MethodReply> {
    const parameters = { [this.kind.unlockParameter]: groupId };
    return this.client.write(this.kind.service, 'UnlockGroup', parameters, work, { isVoid: true });
  }

  private async createOnce(groupId: string, work: Work, create: (groupId: string) => Promise<void>): Promise<void> {
    try {
      await create(groupId);
    } catch (error) {
      // A creation of an earlier try that arrived late: the group is as good as made by this one.
      if (classOf(error) !== 'duplicate' || (await this.read(groupId, work)) === null) throw error;
    }
  }
}

/** The date that a group was saved with; it decides the fiscal period of what is in it. */
export function requireDate(what: string, stored: string, wanted: LocalDate): void {
  if (stored !== '' && stored !== wanted) {
    throw refused(`${what} was saved with the date ${stored} instead of ${wanted}`, 'period');
  }
}
