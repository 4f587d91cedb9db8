// Numbers as people read them.

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A share (0..1) in percent; what is not nothing is never shown as 0 %, nor what is not all as 100 %. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return "<1%";
  if (share < 1 && share > 0.99) return ">99%";
  return `${Math.round(share * 100)}%`;
}

/** "12.3 MB", of bytes. */
export function bytes(value: number): string {
  if (value < 1000) return counted(value, "byte");
  let size = value / 1000;
  let unit = "kB";
  for (const larger of ["MB", "GB"]) {
    if (size < 999.5) break;
    size /= 1000;
    unit = larger;
  }
  return `${Number(size.toPrecision(3))} ${unit}`;
}
