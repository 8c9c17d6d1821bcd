const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 120;
/** How often a long step says in a file or a pipe how far it is. */
const LINE_EVERY_MS = 15_000;

/** Progress and the print-out. On a terminal a running step moves; in a file or a pipe there is one line a step. */
export class Screen {
  private readonly isTerminal: boolean;
  private running: { text: string; timer: NodeJS.Timeout | null; saidAt: number } | null = null;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.isTerminal = stream.isTTY === true;
  }

  /** Runs one step and says on one line what came of it. `work` may report progress, and answers with the line's end. */
  async step<T>(title: string, work: (progress: (text: string) => void) => Promise<[string, T]>): Promise<T> {
    const startedAt = Date.now();
    this.begin(title);
    try {
      const [outcome, value] = await work((text) => this.progress(`${title}: ${text}`));
      this.end(`✓ ${title}${outcome ? `: ${outcome}` : ''} (${seconds(Date.now() - startedAt)})`);
      return value;
    } catch (error) {
      this.end(`✗ ${title}`);
      throw error;
    }
  }

  line(text = ''): void {
    this.stream.write(`${text}\n`);
  }

  private begin(text: string): void {
    this.running = { text, timer: null, saidAt: Date.now() };
    if (!this.isTerminal) return;
    let frame = 0;
    const draw = () => {
      frame += 1;
      const width = Math.max(20, (this.stream.columns ?? 80) - 3);
      this.stream.write(`\r\u001b[2K${FRAMES[frame % FRAMES.length]} ${(this.running?.text ?? '').slice(0, width)}`);
    };
    draw();
    this.running.timer = setInterval(draw, FRAME_MS);
    this.running.timer.unref();
  }

  private progress(text: string): void {
    if (!this.running) return;
    this.running.text = text;
    if (this.isTerminal || Date.now() - this.running.saidAt < LINE_EVERY_MS) return;
    this.running.saidAt = Date.now();
    this.stream.write(`… ${text}\n`);
  }

  private end(text: string): void {
    if (this.running?.timer) clearInterval(this.running.timer);
    this.running = null;
    this.stream.write(this.isTerminal ? `\r\u001b[2K${text}\n` : `${text}\n`);
  }
}

export function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
