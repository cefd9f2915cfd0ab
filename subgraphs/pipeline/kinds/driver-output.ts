/** Reads what a driver writes, of which only the end can be asked for, as whole lines, each once. */
export class DriverOutput {
  /** Bytes to ask for: more than a driver writes between two times of asking. */
  readonly most = 128 * 1024;
  private seen = 0;
  private rest: Uint8Array = new Uint8Array();

  /** @param output the end of all that was written, and the length of it all */
  read({ length, end }: { length: number; end: Buffer }): string[] {
    const fresh = end.subarray(Math.max(0, end.length - (length - this.seen)));
    // What was written faster than it was asked for is lost, and with it the line that it was a part of.
    const gap = length - this.seen > end.length && this.seen > 0;
    const bytes = gap ? fresh : Buffer.concat([this.rest, fresh]);
    this.seen = length;
    const whole = bytes.lastIndexOf('\n') + 1;
    this.rest = bytes.subarray(whole);
    const lines = bytes
      .subarray(0, whole)
      .toString('utf8')
      .split('\n')
      .slice(gap ? 1 : 0);
    return lines.filter((line) => line !== '');
  }
}
