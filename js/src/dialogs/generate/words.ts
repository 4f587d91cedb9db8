// Names and numbers of generation as people read them.

export const strategyName = (name: string): string => {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export const score = (value: number | null): string => (value === null ? "–" : value.toFixed(2));
