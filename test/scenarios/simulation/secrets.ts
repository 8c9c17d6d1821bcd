import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rotateMaster } from '../../../src/cli/rotateMaster.js';
import { createFileSealer } from '../../../src/platform/fileSealer.js';
import { masterKeysIn, replaceMasterKeys } from '../../../src/platform/masterKeyFile.js';
import { newMasterKey, type Sealer } from '../../../src/secrets.js';
import type { Engine } from '../../../src/services/engine.js';
import { callerOf } from './workers.js';

type Work = Parameters<typeof rotateMaster>[0];

/** The key file of an installation, which its processes follow. */
export class Secrets {
  private readonly dataDir = mkdtempSync(join(tmpdir(), 'ledgergate-simulated-keys-'));
  /** A rotation was begun since the last history began. */
  private isTouched = true;
  /** A rotation was begun and not ended: there are two keys. */
  isHalfWay = false;

  /** Every history begins with one key. */
  begin(): void {
    if (!this.isTouched) return;
    replaceMasterKeys(this.dataDir, [newMasterKey().reveal()]);
    this.isTouched = false;
    this.isHalfWay = false;
  }

  /** Of one process. */
  sealer(): Sealer {
    return createFileSealer(this.dataDir);
  }

  /** What `ledgergate keys rotate-master` does. */
  async rotate(engine: Engine, tenantId: string): Promise<void> {
    this.isTouched = true;
    this.isHalfWay = true;
    const config = { masterKeySource: 'file', dataDir: this.dataDir } as Work['config'];
    const ground = { db: engine.db, engine } as Work['ground'];
    await rotateMaster({ config, ground, caller: callerOf(tenantId, 'cli:operator') });
    this.isHalfWay = masterKeysIn(this.dataDir).length > 1;
  }

  remove(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
