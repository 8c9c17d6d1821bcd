import { layGround } from './ground.js';
import { type SeedOptions, type SeedReport, simulate } from './simulate.js';

export interface PlayerOrder {
  readonly options: SeedOptions;
  /** Stories of histories that kept every promise are as good as never read. */
  readonly wantsStory: boolean;
}

export interface PlayerAnswer {
  readonly report: SeedReport;
  readonly rssMb: number;
}

const MEGABYTE = 1024 * 1024;

/** Plays what its parent orders, one history after the other, until the parent goes. */
export async function play(connectionString: string): Promise<void> {
  const ground = await layGround(connectionString);
  try {
    for await (const order of orders()) {
      const report = await simulate(ground, order.options);
      const isTold = order.wantsStory || report.broken.length > 0;
      const answer: PlayerAnswer = {
        report: isTold ? report : { ...report, story: [] },
        rssMb: Math.round(process.memoryUsage.rss() / MEGABYTE),
      };
      process.send?.(answer);
    }
  } finally {
    await ground.close();
  }
}

async function* orders(): AsyncGenerator<PlayerOrder> {
  const waiting: (PlayerOrder | null)[] = [];
  let wake: () => void = () => undefined;
  const hear = (order: PlayerOrder | null) => {
    waiting.push(order);
    wake();
  };
  process.on('message', (order) => hear(order as PlayerOrder));
  process.once('disconnect', () => hear(null));
  for (;;) {
    if (waiting.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const order = waiting.shift();
    if (!order) return;
    yield order;
  }
}
