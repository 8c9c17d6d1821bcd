/**
 * FreeMarker calculates with decimals, not with doubles; ids of 19 digits and cents survive. Rules of its default
 * arithmetic: products and quotients keep 12 decimals and round half up, `%` works on whole numbers.
 */
const KEPT_DECIMALS = 12;

export class Decimal {
  private constructor(
    private readonly unscaled: bigint,
    private readonly scale: number,
  ) {}

  /** @returns undefined when the text is no plain decimal number. */
  static parse(text: string): Decimal | undefined {
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text);
    if (!match) return undefined;
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
    if (whole + fraction === '') return undefined;
    const unscaled = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
    return new Decimal(unscaled, fraction.length).shifted(Number(exponent));
  }

  static of(value: number | bigint): Decimal {
    const parsed = Decimal.parse(String(value));
    if (!parsed) throw new RangeError(`${value} is no finite number.`);
    return parsed;
  }

  get isNegative(): boolean {
    return this.unscaled < 0n;
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.at(scale) + other.at(scale), scale);
  }

  minus(other: Decimal): Decimal {
    return this.plus(other.negated());
  }

  times(other: Decimal): Decimal {
    const exact = new Decimal(this.unscaled * other.unscaled, this.scale + other.scale);
    return exact.scale > KEPT_DECIMALS ? exact.rounded(KEPT_DECIMALS, 'up') : exact;
  }

  /** @throws RangeError division by zero. */
  dividedBy(other: Decimal): Decimal {
    if (other.unscaled === 0n) throw new RangeError('Division by zero.');
    const scale = Math.max(KEPT_DECIMALS, this.scale, other.scale);
    // Two further digits and a mark for what is cut off are enough to round half up correctly.
    const scaled = this.at(scale + other.scale + 2);
    const quotient = scaled / other.unscaled;
    const sticky = scaled % other.unscaled === 0n ? 0n : scaled < 0n === other.unscaled < 0n ? 1n : -1n;
    return new Decimal(quotient * 10n + sticky, scale + 3).rounded(scale, 'up');
  }

  modulo(other: Decimal): Decimal {
    const [left, right] = [this.truncated(), other.truncated()];
    if (right === 0n) throw new RangeError('Division by zero.');
    return new Decimal(left % right, 0);
  }

  negated(): Decimal {
    return new Decimal(-this.unscaled, this.scale);
  }

  compare(other: Decimal): number {
    const scale = Math.max(this.scale, other.scale);
    const difference = this.at(scale) - other.at(scale);
    return difference === 0n ? 0 : difference > 0n ? 1 : -1;
  }

  /** @param ties `even` is what number formats do, `up` is away from zero. */
  rounded(decimals: number, ties: 'even' | 'up'): Decimal {
    if (this.scale <= decimals) return this;
    const unit = 10n ** BigInt(this.scale - decimals);
    const magnitude = this.unscaled < 0n ? -this.unscaled : this.unscaled;
    const [kept, rest] = [magnitude / unit, (magnitude % unit) * 2n];
    const isUp = rest > unit || (rest === unit && (ties === 'up' || kept % 2n === 1n));
    const result = isUp ? kept + 1n : kept;
    return new Decimal(this.unscaled < 0n ? -result : result, decimals);
  }

  floor(): Decimal {
    const whole = this.truncated();
    return new Decimal(this.isNegative && new Decimal(whole, 0).compare(this) !== 0 ? whole - 1n : whole, 0);
  }

  ceiling(): Decimal {
    return this.negated().floor().negated();
  }

  /** The whole part, towards zero. */
  truncated(): bigint {
    return this.unscaled / 10n ** BigInt(this.scale);
  }

  toNumber(): number {
    return Number(this.plain());
  }

  /** Digits of the magnitude: whole part and decimals without trailing zeros. */
  digits(): { whole: string; fraction: string } {
    const magnitude = (this.unscaled < 0n ? -this.unscaled : this.unscaled).toString().padStart(this.scale + 1, '0');
    const cut = magnitude.length - this.scale;
    return { whole: magnitude.slice(0, cut), fraction: magnitude.slice(cut).replace(/0+$/, '') };
  }

  plain(): string {
    const { whole, fraction } = this.digits();
    return `${this.isNegative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
  }

  private at(scale: number): bigint {
    return this.unscaled * 10n ** BigInt(scale - this.scale);
  }

  private shifted(exponent: number): Decimal {
    if (exponent <= 0) return new Decimal(this.unscaled, this.scale - exponent);
    if (exponent <= this.scale) return new Decimal(this.unscaled, this.scale - exponent);
    return new Decimal(this.unscaled * 10n ** BigInt(exponent - this.scale), 0);
  }
}
