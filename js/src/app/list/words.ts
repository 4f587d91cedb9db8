import { counted } from "../../ui/numbers";

/** What deleting a dataset means, with its name and its records. */
export const deleteWords = (name: string, records: number): string =>
  `This permanently deletes the dataset “${name}” and ${
    records === 1 ? "its 1 record" : `all ${counted(records, "record")}`
  }. It cannot be undone.`;
