/**
 * Writes what arrives at about the same time in one go: while one write is under way, what comes in waits and goes into the
 * next one together. Nothing waits longer than the write that it met.
 */
export class Together<Item> {
  private waiting: { item: Item; done: () => void; failed: (error: unknown) => void }[] = [];
  private isWriting = false;

  /**
   * @param write stores all items or none; called again only when it has ended.
   * @param most how many it takes at once.
   */
  constructor(
    private readonly write: (items: readonly Item[]) => Promise<void>,
    private readonly most: number,
  ) {}

  /** Resolves when the item is written. @throws what kept it from being written. */
  add(item: Item): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ item, done, failed });
      if (!this.isWriting) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      const together = this.waiting.splice(0, this.most);
      try {
        await this.write(together.map(({ item }) => item));
        for (const { done } of together) done();
      } catch {
        // One of them may be at fault; the others must not suffer for it.
        for (const { item, done, failed } of together) await this.write([item]).then(done, failed);
      }
    }
    this.isWriting = false;
  }
}
